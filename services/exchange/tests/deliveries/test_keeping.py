"""How far back a subscriber hears: as its purpose says, or else the type; whoever else hears longer."""

from datetime import timedelta

import pytest
from sebalai_exchange.deliveries.store import FORGOTTEN
from sebalai_exchange.subscriptions.access import BROKER_DAYS
from sebalai_shared.broker import EVENTS
from sqlalchemy import text

from services.exchange.tests.deliveries.conftest import TYPE
from services.exchange.tests.deliveries.test_clocks import Skewed
from services.exchange.tests.deliveries.test_streams import INTERFACE, numbering

PURPOSES = [
    {"code": "verifikasi-bansos", "legal_basis": "Permensos 3/2021"},
    {"code": "singkat", "legal_basis": "Permensos 3/2021", "keep_days": 7},
    {"code": "panjang", "legal_basis": "Permendagri 83/2022", "keep_days": 200},
]


@pytest.fixture
async def agree(bus, interface_wanted, agreement_wanted):
    """Makes the type, kept 30 days, and an agreement for the purposes given."""
    made = await bus.ask(
        "POST", "/v1/interfaces", bus.publisher, json=interface_wanted(name=INTERFACE)
    )
    assert made.status_code == 201, made.text
    await bus.describe(access="agreement", interface=INTERFACE, retention_days=30)

    async def agree(*purposes):
        until = (bus.clock.now() + timedelta(days=300)).isoformat()
        rules = [{"method": "SUBSCRIBE", "path": f"/{TYPE}"}]
        terms = agreement_wanted(rules=rules, purposes=list(purposes), valid_until=until)
        asked = await bus.ask("POST", "/v1/agreements", bus.subscriber, json=terms)
        assert asked.status_code == 201, asked.text
        assert asked.json()["purposes"] == [{"keep_days": None} | one for one in purposes]
        path = f"/v1/agreements/{asked.json()['id']}/grant"
        assert (await bus.ask("POST", path, bus.publisher)).is_success

    return agree


async def aged(bus, *ages):
    """One event of each age in days, oldest first, in the log."""
    events = [bus.event(data={"number": age}) for age in ages]
    async with numbering(bus):
        await bus.publish(*events)

        async def numbered():
            async with bus.database.transaction() as session:
                return await session.scalar(text("SELECT pos FROM event_head")) == len(ages)

        await bus.until(numbered)
    query = text(
        "UPDATE event SET stored_at = now() - make_interval(days => "
        "CAST(document::jsonb->'data'->>'number' AS integer))"
    )
    async with bus.database.transaction() as session:
        await session.execute(query)
        return set((await session.scalars(text("SELECT retention_days FROM event"))).all())


async def pulled(bus, purpose):
    made = await bus.subscribe(purpose=purpose, start={"position": 0})
    path = f"/v1/subscriptions/{made['id']}"
    batch = (await bus.ask("POST", f"{path}/pull", bus.subscriber, json={})).json()
    wanted = {"from_position": 1, "count_only": True}
    replay = (await bus.ask("POST", f"{path}/replay", bus.subscriber, json=wanted)).json()
    numbers = [one["event"]["data"]["number"] for one in batch["events"]]
    assert replay["count"] == len(numbers)
    return numbers


async def test_a_purpose_hears_as_far_back_as_it_says_and_no_other_further(bus, agree):
    await agree(*PURPOSES)
    assert await aged(bus, 250, 100, 20, 5, 0) == {365}
    assert await pulled(bus, "singkat") == [5, 0]
    assert await pulled(bus, "verifikasi-bansos") == [20, 5, 0]
    assert await pulled(bus, "panjang") == [100, 20, 5, 0]


async def test_events_are_stored_as_long_as_their_type_says_while_nobody_asks_for_longer(
    bus, agree
):
    await agree(*PURPOSES[:2])
    assert await aged(bus, 1, 0) == {30}


async def test_what_was_taken_in_and_became_too_old_is_set_aside_as_such(bus, agree):
    await agree(PURPOSES[1])
    await aged(bus, 0)
    made = await bus.subscribe(purpose="singkat", start={"position": 0})
    path = f"/v1/subscriptions/{made['id']}"
    batch = (await bus.ask("POST", f"{path}/pull", bus.subscriber, json={})).json()
    await bus.ask("POST", f"{path}/nack", bus.subscriber, json={"lease": batch["lease"]})
    async with bus.database.transaction() as session:
        await session.execute(text("UPDATE event SET stored_at = now() - interval '8 days'"))

    async def is_set_aside():
        again = await bus.ask("POST", f"{path}/pull", bus.subscriber, json={})
        assert again.json()["events"] == []
        answer = await bus.ask("GET", f"{path}/deliveries?state=dead", bus.subscriber)
        return [one["reason"] for one in answer.json()["items"]] == [FORGOTTEN]

    await bus.until(is_set_aside)


async def test_a_clock_put_ahead_makes_nobody_pass_by_an_event(bus, receiver):
    await bus.describe(retention_days=30)
    bus.dispatch_clock = Skewed()
    bus.dispatch_clock.by = timedelta(days=60)
    async with bus.running():
        made = await bus.subscribe(receiver.url("/good/a"))
        await bus.until_active(made["id"])
        await bus.publish(bus.event())
        await bus.until(lambda: receiver.got["/good/a"])


def direct(bus, **more):
    targets = bus.app.state.targets
    bus.app.state.targets = targets.__class__(targets.reach, True)
    wanted = {
        "subscriber": bus.subscriber.application, "title": "Bansos", "types": [TYPE], "kind": "nats",
    }  # fmt: skip
    return bus.ask("POST", "/v1/subscriptions", bus.subscriber, json=wanted | more)


async def test_the_broker_serves_no_purpose_that_ends_before_it_forgets(bus, agree):
    await agree(*PURPOSES)
    for purpose, status in (("verifikasi-bansos", 201), ("panjang", 201), ("singkat", 422)):
        answer = await direct(bus, purpose=purpose)
        assert answer.status_code == status, answer.text
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/purpose"
    assert error["detail"] == (
        f"hears {TYPE} less than the 30 days that the broker keeps it: take webhook, pull or sse, "
        "or a purpose without fewer keep_days"
    )
    pulled = await direct(bus, purpose="singkat", kind="pull")
    assert pulled.status_code == 201


async def test_no_type_is_left_out_in_silence_because_the_broker_cannot_choose(bus, agree):
    await agree(PURPOSES[1])
    party, opened = "dp3acskb.family.changed.v1", "dp3acskb.office.moved.v1"
    await bus.describe(type=party, access="party")
    await bus.describe(type=opened, access="open")
    for types, pointer, named in (
        ([opened, TYPE], "/purpose", TYPE),
        ([opened, party], "/types/1", party),
        ([opened, "dp3acskb.family.*"], "/types/1", party),
        (["dp3acskb.*"], "/purpose", TYPE),
    ):
        answer = await direct(bus, purpose="singkat", types=types)
        assert answer.status_code == 422, (types, answer.text)
        (error,) = answer.json()["errors"]
        assert error["pointer"] == pointer
        assert named in error["detail"]
        assert "take webhook, pull or sse" in error["detail"]
    for types in ([opened], [opened, "dp3acskb.office.*"]):
        assert (await direct(bus, purpose="singkat", types=types)).status_code == 201
    nothing = await direct(bus, types=["dp3acskb.nothing.*"])
    assert nothing.json()["type"].endswith(":nothing-to-hear")


def test_the_broker_keeps_what_is_said_of_it():
    assert EVENTS["max_age"] == BROKER_DAYS * 86_400 * 10**9


@pytest.mark.parametrize("days", [0, 3_651, 1.5])
async def test_a_purpose_keeps_between_a_day_and_ten_years(bus, agreement_wanted, days):
    terms = agreement_wanted(purposes=[PURPOSES[0] | {"keep_days": days}])
    answer = await bus.ask("POST", "/v1/agreements", bus.subscriber, json=terms)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/purposes/0/keep_days"
