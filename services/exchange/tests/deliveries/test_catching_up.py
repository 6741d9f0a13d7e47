"""Subscribers far behind beside live ones: they share less, and take no turn of the others'."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_exchange.deliveries import dispatcher, slots, tail
from sebalai_exchange.deliveries import lane as lanes
from sebalai_exchange.deliveries.tail import Tail
from sebalai_exchange.publishing.sequencer import move
from sqlalchemy import event, text

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
    monkeypatch.setattr(slots, "FLYING_MAX", 4)
    monkeypatch.setattr(slots, "CATCHING_UP_MAX", 2)
    monkeypatch.setattr(lanes, "CATCHING_UP_EVENTS", 3)
    monkeypatch.setattr(lanes, "WINDOW", 2)


@pytest.mark.usefixtures("filled", "small")
async def test_many_that_catch_up_take_no_turn_of_one_that_is_live(bus, receiver):
    paths = [f"/held/{n}" for n in range(BEHIND)]
    async with bus.running():
        live = await bus.subscribe(receiver.url("/good/live"))
        await bus.until_active(live["id"])
        for path in paths:
            made = await bus.subscribe(receiver.url(path), start={"position": 0})
            await bus.until_active(made["id"])
        await bus.until(lambda: receiver.held >= slots.CATCHING_UP_MAX)
        sent = bus.event()
        await bus.publish(sent)
        await bus.until(lambda: receiver.ids("/good/live") == [sent["id"]], PATIENCE_SECONDS)
        assert receiver.held == slots.CATCHING_UP_MAX
        receiver.release.set()
        wanted = EVENTS + 1
        await bus.until(lambda: all(len(receiver.got[path]) == wanted for path in paths))


@pytest.mark.usefixtures("filled", "small")
async def test_slow_ones_that_catch_up_take_no_turn_of_a_slow_one_that_is_live(
    bus, receiver, monkeypatch
):
    monkeypatch.setattr(dispatcher, "SLOW_SECONDS", -1)  # whoever has answered once
    paths = [f"/good/{n}" for n in range(BEHIND)]
    async with bus.running():
        live = await bus.subscribe(receiver.url("/good/live"))
        await bus.until_active(live["id"])
        first = bus.event()
        await bus.publish(first)
        await bus.until(lambda: receiver.ids("/good/live") == [first["id"]])
        receiver.holds = lambda path: path != "/good/live" and len(receiver.got[path]) > 0
        for path in paths:
            made = await bus.subscribe(receiver.url(path), start={"position": 0})
            await bus.until_active(made["id"])
        await bus.until(lambda: receiver.held >= slots.CATCHING_UP_MAX)
        sent = bus.event()
        await bus.publish(sent)
        await bus.until(lambda: sent["id"] in receiver.ids("/good/live"), PATIENCE_SECONDS)
        assert receiver.held == slots.CATCHING_UP_MAX
        receiver.release.set()


@pytest.mark.usefixtures("filled", "small")
async def test_late_try_of_a_live_one_waits_for_no_backlog(bus, receiver, monkeypatch):
    monkeypatch.setattr(lanes, "retry_seconds", lambda *_: 2)
    late = bus.event(subject="late")
    refused = [late["id"]]  # once
    receiver.fails = lambda _path, event: 503 if event["id"] in refused and refused.pop() else 0
    async with bus.running():
        live = await bus.subscribe(receiver.url("/good/live"))
        await bus.until_active(live["id"])
        more = [bus.event(subject=f"more-{n}") for n in range(5)]
        await bus.publish(late, *more)
        ids = {event["id"] for event in more}
        await bus.until(lambda: set(receiver.ids("/good/live")) == ids)
        for n in range(BEHIND):
            made = await bus.subscribe(receiver.url(f"/held/{n}"), start={"position": 0})
            await bus.until_active(made["id"])
        await bus.until(lambda: receiver.held >= slots.CATCHING_UP_MAX)
        await bus.until(lambda: late["id"] in receiver.ids("/good/live"), PATIENCE_SECONDS)
        receiver.release.set()


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


@given(st.lists(st.floats(0, 10), max_size=40))
def test_those_that_catch_up_go_one_after_another_at_a_pace(steps):
    pace, now, before = slots.Pace(10), 0.0, None
    for step in steps:
        now += step
        starts = now + pace.delay(now)
        due = now if before is None else max(now, before + 0.1)
        assert starts == pytest.approx(due)
        before = starts


async def test_a_subscriber_down_for_two_hours_catches_up_in_order(
    bus, receiver, monkeypatch, capsys
):
    """What lies two hours back is made by moving times in the database: the dispatcher begins from
    it as after a restart.
    """
    monkeypatch.setattr(lanes, "CATCHING_UP_EVENTS", 50)
    monkeypatch.setattr(lanes, "WINDOW", 20)
    monkeypatch.setattr(lanes, "WINDOW_LOW", 10)
    monkeypatch.setattr(tail, "TAIL_EVENTS", 10)
    await bus.describe()
    sent = [bus.event() for _ in range(310)]
    receiver.fails = lambda *_: 503
    async with bus.running():
        made = await bus.subscribe(receiver.url("/good/late"))
        await bus.until_active(made["id"])
        await bus.publish(*sent[:10])

        async def is_left_in_peace():
            return (await bus.read(made["id"]))["failures"] >= 5

        await bus.until(is_left_in_peace)
        await bus.publish(*sent[10:])
    async with bus.database.transaction() as session:
        for change in (
            "UPDATE lane SET open_until = now(), open_since = open_since - interval '2 hours'",
            "UPDATE delivery SET first_at = first_at - interval '2 hours', next_at = now()",
            "UPDATE event SET stored_at = stored_at - interval '2 hours'",
        ):
            await session.execute(text(change))
    receiver.fails = lambda *_: 0
    async with bus.running():
        await bus.until(lambda: len(set(receiver.ids("/good/late"))) == len(sent), 60)
    for key in {one["subject"] for one in sent}:
        got = [one["id"] for one in receiver.got["/good/late"] if one["subject"] == key]
        assert got == [one["id"] for one in sent if one["subject"] == key]
    posts = len(receiver.ids("/good/late"))
    with capsys.disabled():
        print(f"\ndown two hours: {len(sent)} published, all received in order by {posts} posts")
