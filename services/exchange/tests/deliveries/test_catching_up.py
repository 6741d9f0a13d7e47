"""Subscribers far behind beside live ones: they share less, and take no turn of the others'."""

import asyncio

import pytest
from sebalai_exchange.deliveries import dispatcher, tail
from sebalai_exchange.deliveries.tail import Tail
from sebalai_exchange.publishing.sequencer import move
from sqlalchemy import event

TYPE = "dp3acskb.birth.recorded.v1"
BEHIND = 6
EVENTS = 12
PATIENCE_SECONDS = 8  # less than a post may take


@pytest.fixture
async def filled(bus):
    await bus.describe()
    await bus.publish(*(bus.event() for _ in range(EVENTS)))
    async with bus.database.engine.connect() as connection:
        raw = await connection.get_raw_connection()
        await move(raw.driver_connection)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(dispatcher, "FLYING_MAX", 4)
    monkeypatch.setattr(dispatcher, "CATCHING_UP_MAX", 2)
    monkeypatch.setattr(dispatcher, "CATCHING_UP_EVENTS", 3)


@pytest.mark.usefixtures("filled", "small")
async def test_many_that_catch_up_take_no_turn_of_one_that_is_live(bus, receiver):
    paths = [f"/held/{n}" for n in range(BEHIND)]
    async with bus.running():
        live = await bus.subscribe(receiver.url("/good/live"))
        await bus.until_active(live["id"])
        for path in paths:
            made = await bus.subscribe(receiver.url(path), start={"position": 0})
            await bus.until_active(made["id"])
        await bus.until(lambda: receiver.held >= dispatcher.CATCHING_UP_MAX)
        sent = bus.event()
        await bus.publish(sent)
        await bus.until(lambda: receiver.ids("/good/live") == [sent["id"]], PATIENCE_SECONDS)
        assert receiver.held == dispatcher.CATCHING_UP_MAX
        receiver.release.set()
        wanted = EVENTS + 1
        await bus.until(lambda: all(len(receiver.got[path]) == wanted for path in paths))


@pytest.fixture
def connections(bus):
    """[out now, the most at once] of the application's pool."""
    engine, out = bus.database.engine.sync_engine, [0, 0]

    def note(change):
        out[0] += change
        out[1] = max(out)

    taken, given = lambda *_: note(1), lambda *_: note(-1)
    event.listen(engine, "checkout", taken)
    event.listen(engine, "checkin", given)
    yield out
    event.remove(engine, "checkout", taken)
    event.remove(engine, "checkin", given)


@pytest.mark.usefixtures("filled")
async def test_reads_of_what_is_old_leave_connections_to_the_others(bus, connections):
    old = Tail(bus.database)
    await old.open()  # what was there before is in the database alone
    reads = [old.after(position, [TYPE]) for position in range(EVENTS)]
    reads += [old.at(position + 1) for position in range(EVENTS)]
    await asyncio.gather(*reads)
    assert connections[1] == tail.OLD_READS_MAX < bus.settings.pool_connections
