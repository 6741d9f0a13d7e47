"""What is used and what is not: counts for everybody, unused agreements for heads."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from sebalai_exchange.usage.actions import note_calls
from sebalai_exchange.usage.jobs import forget_calls
from sebalai_shared.clock import to_text
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system
from sqlalchemy import text

CONSUMER = "ID-BB/GOV/dinsos-pmd/bansos"
PROVIDER = "ID-BB/GOV/dp3acskb/kependudukan"
INTERFACE = f"{PROVIDER}/penduduk"
AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def payload(consumer, agreement, at=AT, **more):
    return {
        "message_id": str(uuid7()), "completed_at": to_text(at), "consumer": consumer,
        "provider": PROVIDER, "interface": INTERFACE, "outcome": "answered", "status": 200,
        "agreement": str(agreement),
    } | more  # fmt: skip


@pytest.fixture
def note(database):
    async def note(*payloads):
        async with database.transaction() as session:
            await note_calls(session, payloads=payloads)

    return note


async def granted(call, clock, consumer, provider, interface_wanted, agreement_wanted, **more):
    """An agreement that the provider granted now; days later it may be idle."""
    await call("POST", "/v1/interfaces", provider, json=interface_wanted())
    wanted = agreement_wanted(**more)
    made = await call("POST", "/v1/agreements", consumer, json=wanted)
    assert made.status_code == 201, made.text
    done = await call("POST", f"/v1/agreements/{made.json()['id']}/grant", provider)
    assert done.json()["state"] == "granted", done.text
    return done.json()["id"]


@pytest.fixture
def grant(call, clock, consumer, provider, interface_wanted, agreement_wanted):
    async def grant(**more):
        return await granted(
            call, clock, consumer, provider, interface_wanted, agreement_wanted, **more
        )

    return grant


HEAD = system("ID-BB/GOV/setda/kepala", "catalog.decide")


async def test_uses_are_counted_once_and_only_what_was_answered(call, note):
    first = payload("ID-BB/GOV/dinsos-pmd/bansos", "a")
    await note(first, payload("ID-BB/GOV/dinsos-pmd/lain", "b"), first)
    await note(
        first,
        payload("ID-BB/GOV/dinkes/puskesmas", "c", AT - timedelta(days=29)),
        payload("ID-BB/GOV/bakuda/pajak", "d", outcome="refused"),
        payload("ID-BB/GOV/bakuda/pajak", "d", AT - timedelta(days=30)),
        payload(None, "e"),
    )
    assert (await call("GET", "/v1/uses")).json() == {
        "items": [
            {
                "interface": INTERFACE, "calls": 3, "consumers": 3, "agencies": 2,
                "last_day": "2026-11-24",
            }
        ],
        "next": None,
    }  # fmt: skip


async def test_uses_go_on_over_pages(call, note):
    names = [f"{PROVIDER}/i-{number}" for number in range(3)]
    await note(*(payload("ID-BB/GOV/x/y", "a", interface=name) for name in names))
    first = (await call("GET", "/v1/uses?limit=2")).json()
    rest = (await call("GET", f"/v1/uses?limit=2&cursor={first['next']}")).json()
    assert [one["interface"] for one in first["items"] + rest["items"]] == names
    assert rest["next"] is None


async def test_an_agreement_that_nobody_uses_is_told_to_heads_after_its_days(call, clock, grant):
    agreement = await grant()
    url = "/v1/uses/idle-agreements?days=30"
    assert (await call("GET", url, HEAD)).json()["items"] == []
    clock.move(timedelta(days=30))
    item = (await call("GET", url, HEAD)).json()["items"][0]
    assert (item["id"], item["agency"], item["last_day"]) == (agreement, "dinsos-pmd", None)


async def test_a_used_agreement_is_idle_again_after_its_days(call, clock, grant, note, consumer):
    agreement = await grant()
    clock.move(timedelta(days=40))
    url = "/v1/uses/idle-agreements?days=30"
    await note(payload(consumer.application, agreement, clock.now()))
    assert (await call("GET", url, HEAD)).json()["items"] == []
    clock.move(timedelta(days=31))
    [item] = (await call("GET", url, HEAD)).json()["items"]
    assert item["last_day"] == "2027-01-03"


async def test_use_of_an_earlier_version_counts_for_the_amended_agreement(
    call, clock, grant, note, agreement_wanted
):
    consumer, provider = (system(name, "exchange.manage") for name in (CONSUMER, PROVIDER))
    agreement = await grant()
    await note(payload(consumer.application, agreement, clock.now()))
    terms = agreement_wanted()
    del terms["consumer"], terms["interface"]
    amended = await call("POST", f"/v1/agreements/{agreement}/amend", consumer, json=terms)
    await call("POST", f"/v1/agreements/{amended.json()['id']}/grant", provider)
    clock.move(timedelta(days=1))
    [item] = (await call("GET", "/v1/uses/idle-agreements?days=0", HEAD)).json()["items"]
    assert (item["id"], item["last_day"]) == (amended.json()["id"], "2026-11-24")


async def test_who_listens_to_events_alone_is_not_idle(call, clock, grant):
    await grant(rules=[{"method": "SUBSCRIBE", "path": "/dp3acskb.birth.recorded.v1"}])
    clock.move(timedelta(days=60))
    assert (await call("GET", "/v1/uses/idle-agreements", HEAD)).json()["items"] == []


async def test_an_agency_sees_its_own_and_others_nothing(
    call, clock, grant, consumer, operator, stranger
):
    await grant()
    clock.move(timedelta(days=60))
    url = "/v1/uses/idle-agreements"
    assert len((await call("GET", url, consumer)).json()["items"]) == 1
    assert len((await call("GET", url, operator)).json()["items"]) == 1
    assert (await call("GET", url, stranger)).json()["items"] == []
    plain = system("ID-BB/GOV/dinsos-pmd/bansos", "bus.call")
    assert (await call("GET", url, plain)).status_code == 403
    assert (await call("GET", url)).status_code == 401
    assert (await call("GET", f"{url}?cursor=WyJ4Il0", operator)).status_code == 422


async def test_idle_agreements_open_in_a_spreadsheet(call, clock, grant):
    agreement = await grant()
    clock.move(timedelta(days=60))
    answer = await call("GET", "/v1/uses/idle-agreements.csv?days=60", HEAD)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    [row] = csv.DictReader(StringIO(answer.text))
    assert (row["id"], row["consumer"]) == (agreement, "ID-BB/GOV/dinsos-pmd/bansos")


async def test_counts_go_with_the_list_of_calls(database, note):
    now = datetime.now(UTC)
    await note(*(payload("ID-BB/GOV/x/y", "a", now - timedelta(days=days)) for days in (402, 10)))
    async with database.transaction() as session:
        await forget_calls(session)
        days = (await session.scalars(text("SELECT day FROM use_day"))).all()
    assert days == [(now - timedelta(days=10)).date()]
