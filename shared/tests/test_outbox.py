"""Outbox, relay, broker and consumer with a real PostgreSQL and a real NATS."""

import asyncio
import contextlib
from datetime import UTC, datetime

import pytest
from sebalai_shared.broker import ApiError, Broker, Sending, leave_if_cancelled
from sebalai_shared.consumer import TRIES_LIMIT, Consumer, Feed
from sebalai_shared.events import Event, decode
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import OutboxSource, TooLarge, publish
from sebalai_shared.relay import REPUBLISH_BACK, TRAIL_STEP_SECONDS, Cursor, Relay, Trail
from sebalai_shared.settings import MemberSettings
from sqlalchemy import text

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@pytest.fixture
async def broker(settings):
    broker = Broker(settings)
    await broker.connect()
    yield broker
    await broker.close()


@pytest.fixture
async def stream(broker, database):
    # Facts of other tests name streams that are gone, which no batch can be stored in.
    async with database.transaction() as session:
        await session.execute(text("TRUNCATE outbox, relay_cursor"))
    name = f"T{uuid7().hex[-8:]}"
    await broker.ensure_stream({"name": name, "subjects": [f"sebalai.{name}.>"]})
    yield name
    await broker.api(f"STREAM.DELETE.{name}")


@contextlib.asynccontextmanager
async def running(*coroutines):
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        _, pending = await asyncio.wait(tasks, timeout=10)
        for task in pending:
            task.print_stack()
        assert not pending


def fact(stream, number):
    return Event(f"{stream}.thing.happened.v1", "/prov/x/sample", "s", {"n": number}, AT)


async def until(condition, seconds=20):
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


async def stored(broker, stream):
    state = await broker.api(f"STREAM.INFO.{stream}")
    return int(state["state"]["messages"])


async def test_every_committed_fact_arrives_once_and_no_rolled_back_one(
    settings, database, broker, stream
):
    class Undone(Exception):
        pass

    async def write(number):
        with contextlib.suppress(Undone):
            async with database.transaction() as session:
                await publish(session, fact(stream, number))
                await asyncio.sleep(0.001 * (number % 7))
                if number % 10 == 0:
                    raise Undone

    got = []

    async def handle(session, message):
        got.append(decode(message.data).data["n"])

    feed = Feed(stream, "reader", [f"sebalai.{stream}.>"])
    async with running(
        Relay(settings.database_dsn(), broker, OutboxSource(stream)).run(),
        Consumer(broker, database, feed, handle).run(),
    ):
        await asyncio.gather(*(write(number) for number in range(200)))

        async def all_there():
            return len(got) >= 180

        await until(all_there)
        await asyncio.sleep(0.3)
    assert sorted(got) == [number for number in range(200) if number % 10]


async def test_a_fact_behind_an_open_transaction_waits_and_is_not_skipped(
    settings, database, broker, stream
):
    async with running(Relay(settings.database_dsn(), broker, OutboxSource(stream)).run()):
        async with database.transaction() as slow:
            await publish(slow, fact(stream, 1))
            async with database.transaction() as quick:
                await publish(quick, fact(stream, 2))
            await asyncio.sleep(0.3)
            assert await stored(broker, stream) == 0

        async def both():
            return await stored(broker, stream) == 2

        await until(both)


async def is_republished(relay):
    return relay._back is None


async def test_relaying_twice_stores_once(settings, database, broker, stream):
    async with database.transaction() as session:
        for number in range(20):
            await publish(session, fact(stream, number))
    for _ in range(2):
        relay = Relay(settings.database_dsn(), broker, OutboxSource(stream))
        async with running(relay.run()):

            async def all_there():
                return await stored(broker, stream) == 20

            await until(all_there)
            await relay._after_reconnect()  # a broker that came back: the last minutes again
            await until(lambda: is_republished(relay))
        async with database.transaction() as session:
            await session.execute(text("DELETE FROM relay_cursor"))
    assert await stored(broker, stream) == 20


async def lose(broker, stream):
    """As when the broker comes back with an empty disk, and somebody makes the stream anew."""
    await broker.api(f"STREAM.DELETE.{stream}")
    await broker.ensure_stream({"name": stream, "subjects": [f"sebalai.{stream}.>"]})


@pytest.mark.parametrize("is_running", [True, False])
async def test_a_lost_stream_is_sent_all_that_is_kept_before_anything_new(
    settings, database, broker, stream, is_running
):
    async def relayed(number):
        async def are_stored():
            return await stored(broker, stream) == number

        await until(are_stored)

    async with database.transaction() as session:
        for number in range(20):
            await publish(session, fact(stream, number))
        await session.execute(text("UPDATE outbox SET created_at = now() - interval '6 days'"))
    relay = Relay(settings.database_dsn(), broker, OutboxSource(stream))
    async with running(relay.run()):
        await relayed(20)
        if is_running:
            await lose(broker, stream)
            await relay._after_reconnect()
            await until(lambda: is_republished(relay))
    if not is_running:
        await lose(broker, stream)
    async with database.transaction() as session:
        await publish(session, fact(stream, 20))
    async with running(Relay(settings.database_dsn(), broker, OutboxSource(stream)).run()):
        await relayed(21)
    last = await broker.client.jetstream().get_msg(stream, 21)
    assert decode(last.data).data["n"] == 20


async def test_a_swallowed_cancellation_is_raised_again():
    # wait_for of Python 3.11 drops a cancellation that lands together with the answer;
    # a relay then went on for ever and its process could not be stopped.
    async def swallows():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        leave_if_cancelled()

    task = asyncio.create_task(swallows())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert task.cancelled()


async def test_a_relay_far_behind_skips_nothing_when_its_broker_comes_back(
    settings, database, broker, stream
):
    async with database.transaction() as session:
        for number in range(3):
            await publish(session, fact(stream, number))
        await session.execute(text("UPDATE outbox SET created_at = now() - interval '1 hour'"))
    async with database.transaction() as session:
        await publish(session, fact(stream, 3))
    relay = Relay(settings.database_dsn(), broker, OutboxSource(stream))
    await relay._after_reconnect()
    async with running(relay.run()):

        async def all_there():
            return await stored(broker, stream) == 4

        await until(all_there)


async def test_facts_keep_their_order_where_transaction_ids_grow_a_digit(
    settings, database, broker, stream
):
    # Sorted as text, 1000 stood before 999: the cursor passed what it had not sent, for good.
    xids = (9, 10, 11, 99, 100)
    async with database.transaction() as session:
        for number in range(len(xids)):
            await publish(session, fact(stream, number))
        for number, xid in enumerate(xids):
            await session.execute(
                text(
                    "UPDATE outbox SET xid = CAST(CAST(:xid AS text) AS xid8) WHERE document->'data'->'n' = :n"
                ),
                {"xid": str(xid), "n": str(number)},
            )
    async with running(Relay(settings.database_dsn(), broker, OutboxSource(stream)).run()):

        async def all_there():
            return await stored(broker, stream) == len(xids)

        await until(all_there)
    manager = broker.client.jetstream()
    told = [await manager.get_msg(stream, number + 1) for number in range(len(xids))]
    assert [decode(message.data).data["n"] for message in told] == list(range(len(xids)))


async def test_only_one_relay_leads(settings, database, broker, stream):
    relays = [Relay(settings.database_dsn(), broker, OutboxSource(stream)) for _ in range(2)]
    async with running(*(relay.run() for relay in relays)):
        await asyncio.sleep(0.3)
        async with database.transaction() as session:
            locks = await session.scalar(
                text(
                    "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
                    "WHERE locktype = 'advisory' AND granted AND d.datname = current_database()"
                )
            )
    assert locks == 1


async def test_a_batch_is_stored_whole_or_not_at_all(broker, stream):
    sendings = [Sending(f"sebalai.{stream}.a.v1", str(uuid7()), b"x", {}) for _ in range(5)]
    await broker.publish(sendings[2])
    with pytest.raises(ApiError):
        await broker.publish_batch(sendings, uuid7().hex)
    assert await stored(broker, stream) == 1


async def test_a_message_delivered_twice_takes_effect_once(settings, database, broker, stream):
    seen = []

    async def handle(session, message):
        seen.append(message.data)

    feed = Feed(stream, "twice", [f"sebalai.{stream}.>"])
    await broker.publish(Sending(f"sebalai.{stream}.a.v1", str(uuid7()), b"one", {}))
    for _ in range(2):
        async with running(Consumer(broker, database, feed, handle).run()):

            async def one():
                return bool(seen)

            await until(one)
            await asyncio.sleep(0.2)
        await broker.api(f"CONSUMER.RESET.{stream}.twice", {"seq": 1})
    assert seen == [b"one"]


async def test_a_poison_message_is_set_aside_and_the_next_one_passes(
    settings, database, broker, stream, monkeypatch
):
    monkeypatch.setattr("sebalai_shared.consumer.RETRY_SECONDS", 0.01)
    seen = []

    async def handle(session, message):
        if message.data == b"poison":
            raise ValueError("cannot be read")
        seen.append(message.data)

    poison = str(uuid7())
    await broker.publish(Sending(f"sebalai.{stream}.a.v1", poison, b"poison", {}))
    await broker.publish(Sending(f"sebalai.{stream}.a.v1", str(uuid7()), b"good", {}))
    feed = Feed(stream, "strict", [f"sebalai.{stream}.>"])

    async def buried():
        async with database.transaction() as session:
            return await session.scalar(
                text("SELECT tries FROM dead_message WHERE message_id = :id"), {"id": poison}
            )

    async with running(Consumer(broker, database, feed, handle).run()):
        await until(buried)
    assert seen == [b"good"]
    assert await buried() == TRIES_LIMIT


async def test_an_event_over_the_limit_is_refused_in_the_producers_transaction(database, stream):
    async with database.transaction() as session:
        with pytest.raises(TooLarge):
            await publish(session, Event("x.y.z.v1", "/p", "s", {"text": "x" * 70_000}, AT))


async def test_broker_that_never_reached_nats_closes():
    broker = Broker(MemberSettings(nats_url="nats://127.0.0.1:1"))
    async with running(broker.connect()):
        await asyncio.sleep(0.1)
    await broker.close()
    assert not broker.is_connected


async def test_what_was_just_sent_goes_again_although_the_clock_was_put_forward(
    settings, database, broker, stream
):
    # A message id is soon forgotten, so that what is sent again is stored again and counted.
    subjects = [f"sebalai.{stream}.>"]
    await broker.api(f"STREAM.DELETE.{stream}")
    short = {"name": stream, "subjects": subjects, "duplicate_window": 100_000_000}
    await broker.ensure_stream(short)
    relay = Relay(settings.database_dsn(), broker, OutboxSource(stream))
    async with running(relay.run()):
        await asyncio.sleep(0.1)  # it leads, and knows where it stood
        async with database.transaction() as session:
            for number in range(3):
                await publish(session, fact(stream, number))

        async def all_there():
            return await stored(broker, stream) == 3

        await until(all_there)
        async with database.transaction() as session:  # as the database's clock sees it then
            await session.execute(text("UPDATE outbox SET created_at = now() - interval '2 hours'"))
        await asyncio.sleep(0.3)
        await relay._after_reconnect()

        async def are_sent_again():
            return await stored(broker, stream) == 6

        await until(are_sent_again)


def test_the_trail_begins_where_the_cursor_stood_five_minutes_ago():
    trail, back = Trail(Cursor(0, 0), 0.0), REPUBLISH_BACK.total_seconds()
    for second in range(0, 1_000, 3):
        trail.note(Cursor(0, second), float(second))
        assert trail.begins.seq <= max(second - back, 0)
        assert second - trail.begins.seq <= back + 2 * TRAIL_STEP_SECONDS
