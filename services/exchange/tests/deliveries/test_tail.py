"""The tail in memory: no gap in it, whatever clocks say and whatever the database does meanwhile."""

import asyncio
import contextlib
import json
import logging
from types import SimpleNamespace

import asyncpg
import pytest
from sebalai_exchange.deliveries import hub, lane, store
from sebalai_exchange.deliveries.hub import Hub, TooManyStreams
from sebalai_exchange.deliveries.tail import Tail
from sebalai_exchange.publishing.sequencer import move
from sebalai_exchange.subscriptions.actions import Matcher, Serving
from sebalai_shared.clock import SystemClock
from sebalai_shared.ids import uuid7
from sqlalchemy import text

TYPE = "dp3acskb.birth.recorded.v1"


@pytest.fixture
async def log(bus):
    """Publishes events and gives them their positions."""
    await bus.describe()
    connection = await asyncpg.connect(bus.settings.database_dsn())

    async def log(count, before_moving="SELECT 1"):
        await bus.publish(*(bus.event() for _ in range(count)))
        await connection.execute(before_moving)
        await move(connection)

    yield log
    await connection.close()


async def test_an_event_of_a_host_whose_clock_is_ahead_hides_none_behind_it(bus, log):
    tail = Tail(bus.database)
    await tail.open()
    await log(1, "UPDATE event_new SET stored_at = now() + interval '5 hours'")
    await log(2)
    assert [event.pos for event in await tail.grow()] == [1, 2, 3]
    await log(1)
    assert [event.pos for event in await tail.grow()] == [4]


async def test_a_tail_that_is_opened_again_holds_no_gap(bus, log):
    tail = Tail(bus.database)
    await log(3)
    await tail.grow()
    await log(4)
    await tail.open()
    await log(2)
    await tail.grow()
    found, upto = await tail.after(7, [TYPE])
    assert ([event.pos for event in found], upto) == ([8, 9], 9)
    found, upto = await tail.after(2, [TYPE])
    assert ([event.pos for event in found], upto) == (list(range(3, 10)), 9)


async def test_who_waits_hears_again_once_the_database_answers_again(bus, log, monkeypatch, caplog):
    monkeypatch.setattr(hub, "LOOK_SECONDS", 0.05)
    waiting = Hub(bus.settings.database_dsn(), bus.database, bus.clock)
    await waiting.start()
    async with bus.database.transaction() as session:
        await session.execute(text("ALTER TABLE event_head RENAME TO head_away"))
        await session.execute(text("ALTER TABLE event RENAME TO event_away"))
    try:
        with caplog.at_level(logging.WARNING):
            await bus.until(lambda: "events wait for the database" in caplog.text)
    finally:
        async with bus.database.transaction() as session:
            await session.execute(text("ALTER TABLE event_away RENAME TO event"))
            await session.execute(text("ALTER TABLE head_away RENAME TO event_head"))
    grown = asyncio.create_task(waiting.grown(0, 20))
    await log(1)
    assert await grown
    await waiting.close()


async def test_streams_are_bounded_for_each_subscription_and_in_all(monkeypatch):
    monkeypatch.setattr(hub, "STREAMS_MAX", hub.STREAMS_OF_ONE_MAX + 1)
    counted = Hub("", None, SystemClock())
    one, other = (SimpleNamespace(id=uuid7(), subscriber=name) for name in ("one", "other"))
    nothing = Matcher(frozenset(), {})

    def enter(subscription):
        return counted.enter(Serving(subscription, nothing), 0, 60)

    listeners = [enter(one) for _ in range(hub.STREAMS_OF_ONE_MAX)]
    with pytest.raises(TooManyStreams):
        enter(one)
    listeners.append(enter(other))
    counted.leave(one, listeners.pop(0))
    listeners.append(enter(one))
    with pytest.raises(TooManyStreams):
        enter(other)
    assert len({listener.right for listener in listeners}) == 2
    for listener in listeners:
        listener.close()


async def test_a_stream_that_nobody_waits_for_any_more_is_counted_out(bus, log):
    made = await bus.subscribe(kind="sse")
    path = f"/v1/subscriptions/{made['id']}/stream"
    headers = bus.settings._asserter.headers(bus.subscriber, "exchange")
    for _ in range(hub.STREAMS_OF_ONE_MAX + 1):
        async with contextlib.aclosing(bus.stream(path, headers)) as chunks:
            assert await anext(chunks)


async def test_a_lane_with_more_waiting_than_it_loads_serves_them_all(
    bus, log, receiver, monkeypatch
):
    for module in (lane, store):
        monkeypatch.setattr(module, "OPEN_LOADED_MAX", 2)
    await log(7)
    made = await bus.subscribe(receiver.url("/good/a"))
    async with bus.running():
        await bus.until_active(made["id"])
        path = f"/v1/subscriptions/{made['id']}/replay"
        done = await bus.ask("POST", path, bus.subscriber, json={"from_position": 1})
        assert done.json() == {"count": 7, "done": 7}
        await bus.until(lambda: len(receiver.got["/good/a"]) == 7)
    positions = [json.loads(one["_body"])["position"] for one in receiver.got["/good/a"]]
    assert sorted(int(position) for position in positions) == list(range(1, 8))


@pytest.mark.parametrize("step", ["resend", "replay", "skip"])
async def test_nothing_is_decided_where_nothing_is_delivered(bus, log, step):
    body = {"replay": {"from_position": 1}, "skip": {"reason": "tidak perlu"}}.get(step, {})
    stream, ended = await bus.subscribe(kind="sse"), await bus.subscribe()
    path = f"/v1/subscriptions/{ended['id']}/end"
    await bus.ask("POST", path, bus.subscriber, json={"reason": "sudah selesai"})
    for made in (stream, ended):
        path = f"/v1/subscriptions/{made['id']}/{step}"
        answer = await bus.ask("POST", path, bus.subscriber, json=body)
        assert answer.status_code == 409, answer.text
    async with bus.database.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM delivery")) == 0
