"""Who sees which calls, and how much of them."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_exchange.usage import access, tails
from sebalai_exchange.usage.actions import note_calls
from sebalai_exchange.usage.jobs import forget_calls
from sebalai_exchange.usage.store import CallFilter
from sebalai_exchange.usage.tails import Tails
from sebalai_shared.caller import Caller
from sebalai_shared.clock import to_text
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system
from sqlalchemy import text

CONSUMER = "ID-BB/GOV/dinsos-pmd/bansos"
PROVIDER = "ID-BB/GOV/dp3acskb/kependudukan"
PORTAL = "ID-BB/GOV/diskominfo/portal"
AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def payload(minutes=0, **more):
    return {
        "message_id": str(uuid7()),
        "requested_at": to_text(AT),
        "forwarded_at": "2026-11-24T08:00:00.001Z",
        "responded_at": None,
        "completed_at": to_text(AT + timedelta(minutes=minutes)),
        "consumer": CONSUMER,
        "provider": PROVIDER,
        "interface": f"{PROVIDER}/penduduk",
        "method": "GET",
        "outcome": "answered",
        "status": 200,
        "problem": None,
        "purpose": "verifikasi-bansos",
        "legal_basis": "Permensos 3/2021",
        "correlation_id": None,
        "agreement": str(uuid7()),
        "rule": "r1",
        "trace_id": "ab" * 16,
    } | more


@pytest.fixture
def note(database):
    async def note(*payloads):
        async with database.transaction() as session:
            await note_calls(session, payloads=payloads)

    return note


async def test_parties_see_their_calls_whole_and_newest_first(
    call, note, consumer, provider, stranger
):
    made = [payload(minutes) for minutes in (1, 3, 2)]
    await note(*made, payload(consumer="ID-BB/GOV/x/y", provider=None))
    for caller in (consumer, provider):
        items = (await call("GET", "/v1/calls", caller)).json()["items"]
        assert [item["message_id"] for item in items] == [
            made[index]["message_id"] for index in (1, 2, 0)
        ]
    assert items[0] == {
        "message_id": made[1]["message_id"],
        "requested_at": "2026-11-24T08:00:00Z",
        "forwarded_at": "2026-11-24T08:00:00.001000Z",
        "responded_at": None,
        "completed_at": "2026-11-24T08:03:00Z",
        "consumer_agency": "dinsos-pmd",
        **{
            name: made[1][name]
            for name in (
                "interface",
                "method",
                "outcome",
                "status",
                "trace_id",
                "consumer",
                "provider",
                "problem",
                "purpose",
                "legal_basis",
                "correlation_id",
                "agreement",
                "rule",
            )
        },
    }
    assert (await call("GET", "/v1/calls", stranger)).json() == {"items": [], "next": None}
    assert (await call("GET", "/v1/calls")).status_code == 401


async def test_operator_sees_all(call, note, operator):
    await note(payload(), payload(consumer=None, provider=None, interface=None, outcome="refused"))
    items = (await call("GET", "/v1/calls", operator)).json()["items"]
    assert len(items) == 2
    assert {item["consumer_agency"] for item in items} == {"dinsos-pmd", None}


async def test_portal_over_the_bus_sees_all_redacted(call, note):
    own = payload(1, consumer=PORTAL, purpose="penyajian-portal")
    await note(payload(), own, payload(2, consumer="nobody"))
    portal = system(PORTAL, message_id=str(uuid7()), purpose="penyajian-portal")
    unnamed, mine, other = (await call("GET", "/v1/calls", portal)).json()["items"]
    assert (other["consumer_agency"], other["consumer"]) == ("dinsos-pmd", "ID-BB/GOV/dinsos-pmd")
    assert (unnamed["consumer_agency"], unnamed["consumer"]) == (None, None)
    assert (other["purpose"], mine["purpose"]) == (None, "penyajian-portal")
    hidden = ("provider", "problem", "legal_basis", "agreement", "rule", "forwarded_at")
    assert [other[name] for name in hidden] == [None] * 6
    one = await call("GET", f"/v1/calls/{other['message_id']}", portal)
    assert one.json() == other


async def test_no_filter_tells_the_portal_which_application_called(call, note):
    await note(payload(), payload(1, consumer=PORTAL))
    portal = system(PORTAL, message_id=str(uuid7()), purpose="penyajian-portal")
    for name in ("consumer", "without_consumer"):
        asked = await call("GET", "/v1/calls", portal, params={name: CONSUMER})
        assert asked.status_code == 422, name
        assert asked.json()["errors"][0]["pointer"] == f"/{name}"
    tail = await call("GET", "/v1/calls/tail", portal, params={"consumer": CONSUMER})
    assert tail.status_code == 422
    others = await call("GET", "/v1/calls", portal, params={"without_consumer": PORTAL})
    assert [one["consumer_agency"] for one in others.json()["items"]] == ["dinsos-pmd"]


async def test_one_call_is_read_by_its_parties_alone(call, note, consumer, stranger, gateway):
    made = payload()
    await note(made)
    path = f"/v1/calls/{made['message_id']}"
    assert (await call("GET", path, consumer)).json()["legal_basis"] == "Permensos 3/2021"
    assert (await call("GET", path, stranger)).status_code == 404
    assert (await call("GET", path, gateway)).status_code == 403
    assert (await call("GET", f"/v1/calls/{uuid7()}", consumer)).status_code == 404


async def test_an_applications_own_calls_can_be_left_out(call, note, operator):
    await note(payload(), payload(consumer=PORTAL), payload(consumer=None, provider=None))
    answer = await call("GET", "/v1/calls", operator, params={"without_consumer": PORTAL})
    assert {item["consumer"] for item in answer.json()["items"]} == {CONSUMER, None}


async def test_portal_outside_the_bus_is_an_application_like_any_other(call, note):
    await note(payload())
    for more in ({}, {"message_id": "x"}, {"purpose": "penyajian-portal"}):
        assert (await call("GET", "/v1/calls", system(PORTAL, **more))).json()["items"] == []


async def test_caller_without_an_application_is_refused(call, gateway):
    assert (await call("GET", "/v1/calls", gateway)).status_code == 403


async def test_filters_and_pages(call, note, consumer):
    await note(*[payload(minutes) for minutes in range(5)], payload(9, outcome="refused"))
    first = (await call("GET", "/v1/calls", consumer, params={"limit": 4})).json()
    rest = await call("GET", "/v1/calls", consumer, params={"cursor": first["next"], "limit": 4})
    assert (len(first["items"]), len(rest.json()["items"])) == (4, 2)
    queries = {
        "outcome": ("refused", 1),
        "since": ("2026-11-24T08:04:00Z", 2),
        "consumer": ("ID-BB/GOV/x/y", 0),
        "interface": (f"{PROVIDER}/penduduk", 6),
    }
    for name, (value, count) in queries.items():
        answer = await call("GET", "/v1/calls", consumer, params={name: value})
        assert len(answer.json()["items"]) == count, name
    broken = {"since": "kemarin", "outcome": "lost", "cursor": "WyJ4IiwieSJd", "limit": 101}
    for name, value in broken.items():
        answer = await call("GET", "/v1/calls", consumer, params={name: value})
        assert answer.status_code == 422, name


async def test_call_noted_twice_stands_once_and_odd_fields_do_not_stop_it(call, note, operator):
    odd = payload(status="200", method="\0", interface=["x"], outcome=None, purpose="x" * 400)
    await note(odd)
    await note(odd, payload(status=2**40, consumer="not-a-name"))
    await note()
    items = (await call("GET", "/v1/calls", operator)).json()["items"]
    assert len(items) == 2
    shown = next(item for item in items if item["message_id"] == odd["message_id"])
    assert (shown["status"], shown["method"], shown["interface"]) == (None, None, None)
    assert (shown["outcome"], len(shown["purpose"])) == ("unknown", 300)


async def test_old_calls_are_forgotten(note, database):
    await note(payload(), payload())
    async with database.transaction() as session:
        await session.execute(text("UPDATE call SET at = now() - interval '401 days'"))
        await forget_calls(session)
        assert await session.scalar(text("SELECT count(*) FROM call")) == 0


async def test_deviations_that_were_not_seen_for_long_are_forgotten(note, database):
    told = {"contract_sha256": "a" * 64}
    await note(*(payload(**told, deviations=[f"request.body/{name}: type"]) for name in "ab"))
    async with database.transaction() as session:
        await session.execute(
            text(
                "UPDATE deviation SET last_at = now() - interval '401 days' "
                "WHERE deviation LIKE '%/a%'"
            )
        )
        await forget_calls(session)
        left = await session.scalars(text("SELECT deviation FROM deviation"))
        assert list(left) == ["request.body/b: type"]


@given(
    st.sampled_from([None, PORTAL, CONSUMER]),
    st.booleans(),
    st.none() | st.just("id"),
    st.sampled_from([None, "penyajian-portal", "lain"]),
)
def test_nobody_but_the_operator_sees_all_of_it_whole(application, operates, message_id, purpose):
    caller = Caller(
        kind="system",
        application=application,
        scopes=frozenset({"platform.operate"} if operates else {"bus.call"}),
        message_id=message_id,
        purpose=purpose,
    )
    view = access.view_of(caller)
    if view is None:
        assert application is None
        assert not operates
    elif view.sees_all and not view.is_redacted:
        assert operates
    elif view.sees_all:
        assert (message_id, purpose) == ("id", "penyajian-portal")
    else:
        assert view.application == application


async def test_statistics_are_of_ones_own_calls_with_each_sides_time(
    call, note, consumer, provider, stranger, clock
):
    answered = {"responded_at": "2026-11-24T08:00:00.021Z"}
    await note(payload(**answered), payload(**answered), payload(outcome="refused", status=403))
    clock.move(timedelta(minutes=1))
    for caller in (consumer, provider):
        told = (await call("GET", "/v1/calls/statistics", caller)).json()
        assert [(row["outcome"], row["calls"]) for row in told["items"]] == [
            ("answered", 2),
            ("refused", 1),
        ]
        assert told["items"][0]["provider_ms_p50"] == pytest.approx(20)
    assert (await call("GET", "/v1/calls/statistics", stranger)).json()["items"] == []
    long = {"since": "2026-01-01T00:00:00Z"}
    assert (await call("GET", "/v1/calls/statistics", consumer, params=long)).status_code == 422


async def test_deviations_are_counted_once_a_call_and_told_to_the_provider(
    call, note, provider, consumer, operator
):
    one = payload(contract_sha256="a" * 64, deviations=["request.body/name: type", 7])
    await note(one)
    await note(one, payload(contract_sha256="a" * 64, deviations=["request.body/name: type"]))
    for caller in (provider, operator):
        told = (await call("GET", "/v1/calls/deviations", caller)).json()["items"]
        assert [(row["deviation"], row["calls"]) for row in told] == [
            ("request.body/name: type", 2)
        ]
    assert (await call("GET", "/v1/calls/deviations", consumer)).json()["items"] == []


async def test_tail_tells_what_ends_from_now_on_and_to_whom_it_concerns(
    settings, committed, note, clock, monkeypatch
):
    monkeypatch.setattr(tails, "FOLLOWED_SECONDS", 1.2)
    view = access.View(sees_all=False, application=CONSUMER, is_redacted=False)
    other = access.View(sees_all=False, application="ID-BB/GOV/x/y", is_redacted=False)
    made = payload(minutes=1)

    async def followed(view):
        return [row async for row in Tails(clock).follow(committed, view, CallFilter()) if row]

    earlier = payload(minutes=0.5)

    async def write():
        for told in ([made, payload(minutes=-1)], [earlier]):
            await asyncio.sleep(0.2)
            async with committed.transaction() as session:
                await note_calls(session, payloads=told)

    mine, theirs, _ = await asyncio.gather(followed(view), followed(other), write())
    async with committed.transaction() as session:
        await session.execute(text("TRUNCATE call, use_day"))
    # Also the one that ended first and was noted last.
    assert [str(row.message_id) for row in mine] == [made["message_id"], earlier["message_id"]]
    assert theirs == []


def test_listeners_are_bounded(clock):
    counted = Tails(clock)
    for _ in range(tails.LISTENERS_MAX):
        counted.enter()
    with pytest.raises(tails.TooManyTails):
        counted.enter()
    counted.leave()
    counted.enter()
