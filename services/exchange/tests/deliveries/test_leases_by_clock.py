"""Pull, publishing and streams of one host whose clock is put back and forward by hours."""

from datetime import timedelta
from uuid import UUID

import pytest
from sebalai_exchange.deliveries.pulling import LEASE
from sebalai_exchange.deliveries.receipts import give_receipts, receipt_id
from sebalai_exchange.publishing.actions import events_after
from sebalai_exchange.publishing.sequencer import move
from sebalai_shared.clock import SystemClock, to_text
from sebalai_shared.testing.http import Asserter
from sqlalchemy import text

from .test_clocks import Skewed

KEYS, EACH = 3, 6
HOURS = (-5, 3, -2, 9, -7)  # one after another
DELAY_SECONDS = 5


@pytest.fixture
async def host(bus):
    """Its clock, and that of the gateway beside it."""
    clock = Skewed()
    asserter = Asserter(clock)
    asserter.write_keys(bus.settings.caller_keys_file)
    object.__setattr__(bus.settings, "_asserter", asserter)
    bus.start(clock)
    return clock


async def number(bus):
    async with bus.database.engine.connect() as connection:
        raw = await connection.get_raw_connection()
        while await move(raw.driver_connection):
            pass


async def step(bus, made, verb, **body):
    path = f"/v1/subscriptions/{made['id']}/{verb}"
    return await bus.ask("POST", path, bus.subscriber, json=body)


async def pulled(bus, made):
    answer = await step(bus, made, "pull")
    assert answer.status_code == 200, answer.text
    return answer.json()


def numbers(batch):
    return [one["event"]["data"]["number"] for one in batch["events"]]


@pytest.fixture
async def given(bus, host):
    """Three events, given out by a clock five hours ahead that was then put right."""
    await bus.describe()
    made = await bus.subscribe()
    host.by = timedelta(hours=5)
    await bus.publish(*(bus.event(data={"number": n}, subject="one") for n in range(3)))
    await number(bus)
    batch = await pulled(bus, made)
    assert numbers(batch) == [0, 1, 2]
    return made, batch


async def test_a_lease_given_by_a_clock_that_was_put_back_lasts_no_longer(bus, host, given):
    made, _ = given
    host.by = timedelta()
    assert numbers(await pulled(bus, made)) == []
    host.by += LEASE + timedelta(seconds=1)
    assert numbers(await pulled(bus, made)) == [0, 1, 2]


async def test_a_lease_of_a_clock_that_was_put_back_is_still_acknowledged(bus, host, given):
    made, batch = given
    host.by = timedelta()
    assert numbers(await pulled(bus, made)) == []
    assert (await step(bus, made, "ack", lease=batch["lease"])).json() == {"count": 3}


async def test_a_delay_given_by_a_clock_that_was_put_back_lasts_no_longer(bus, host, given):
    made, batch = given
    answer = await step(bus, made, "nack", lease=batch["lease"], delay_seconds=DELAY_SECONDS)
    assert answer.json() == {"count": 3}
    host.by = timedelta()
    assert numbers(await pulled(bus, made)) == []
    host.by += timedelta(seconds=DELAY_SECONDS + 1)
    assert numbers(await pulled(bus, made)) == [0, 1, 2]


async def test_a_leaping_host_refuses_nobody_and_loses_nothing(bus, host, capsys):
    """Publishers go by clocks of their own, and so does what they say of when it happened."""
    await bus.describe()
    made, got, sent = await bus.subscribe(), [], []
    for hours in HOURS:
        host.by += timedelta(hours=hours)
        batch = [
            bus.event(subject=f"key-{n % KEYS}", time=to_text(SystemClock().now()))
            for n in range(EACH)
        ]
        sent += batch
        await bus.publish(*batch)
        await number(bus)
        taken = await pulled(bus, made)
        got += [one["event"] for one in taken["events"]]
        answer = await step(bus, made, "ack", lease=taken["lease"])
        assert answer.json() == {"count": EACH}
    assert [one["id"] for one in got] == [one["id"] for one in sent]
    path = f"/v1/subscriptions/{made['id']}"
    again = await bus.ask("POST", f"{path}/replay", bus.subscriber, json={"from_position": 1})
    assert again.json() == {"count": len(sent), "done": len(sent)}
    assert len((await pulled(bus, made))["events"]) == len(sent)
    async with bus.database.transaction() as session:
        assert await give_receipts(session) == len(sent)
        idents = [one.event_id for one in await events_after(session, position=0, limit=100)]
        wanted = [receipt_id(ident, UUID(made["id"])) for ident in idents]
        query = text("SELECT count(*) FROM ledger_entry WHERE id = ANY(:ids)")
        assert await session.scalar(query, {"ids": [*idents, *wanted]}) == 2 * len(sent)
    with capsys.disabled():
        print(
            f"\nhost leaps {HOURS} h: {len(sent)} published and pulled in order, 0 refused, "
            f"{2 * len(sent)} receipts"
        )
