"""The journal through the shared relay to a real NATS: every outcome arrives, in small messages."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import asyncpg
import orjson
import pytest
from sebalai_gateway.journal.source import ROWS_A_MESSAGE, JournalSource
from sebalai_shared.broker import JOURNAL
from sebalai_shared.ids import uuid7
from sebalai_shared.relay import Cursor, Relay


@pytest.fixture
async def broker(emptied_broker):
    async with emptied_broker(JOURNAL) as broker:
        yield broker


@contextlib.asynccontextmanager
async def relaying(url, broker):
    task = asyncio.create_task(Relay(url, broker, JournalSource()).run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def add(connection, count, phase="completed"):
    """One transaction of `count` calls; answers their ids."""
    ids, now = [uuid7() for _ in range(count)], datetime.now(UTC)
    await connection.executemany(
        "INSERT INTO journal (day, message_id, phase, at, record) VALUES ($1, $2, $3, $4, $5)",
        [(now.date(), i, phase, now, orjson.dumps({"message_id": str(i)}).decode()) for i in ids],
    )
    return [str(i) for i in ids]


async def stored(broker):
    """What the stream holds: one list of message ids per message."""
    state = (await broker.api("STREAM.INFO.JOURNAL"))["state"]
    found = []
    for sequence in range(state["first_seq"], state["last_seq"] + 1):
        message = await broker.client.jetstream().get_msg("JOURNAL", sequence)
        assert message.subject == "journal.calls.v1"
        found.append([record["message_id"] for record in orjson.loads(message.data)])
    return found


async def until_relayed(connection, seconds=20):
    """Waits until the relay's cursor has passed all."""
    async with asyncio.timeout(seconds):
        while await connection.fetchval(
            "SELECT count(*) FROM journal WHERE phase = 'completed' AND (xid, seq) > "
            "(SELECT coalesce(max(xid), '0'), coalesce(max(seq), 0) FROM relay_cursor "
            "WHERE name = 'journal')"
        ):
            await asyncio.sleep(0.02)


def flat(messages):
    return [message_id for message in messages for message_id in message]


async def test_every_outcome_arrives_once_in_order_and_in_bounded_messages(
    journal_url, database, broker
):
    ids = await add(database, 700)
    await add(database, 5, "requested")
    async with relaying(journal_url, broker):
        ids += await add(database, 30)
        await until_relayed(database)
    messages = await stored(broker)
    assert flat(messages) == ids
    assert max(map(len, messages)) <= ROWS_A_MESSAGE


async def test_call_whose_transaction_ends_late_is_not_passed_over(journal_url, database, broker):
    late = await asyncpg.connect(journal_url)
    try:
        async with relaying(journal_url, broker):
            async with late.transaction():
                slow = await add(late, 3)
                quick = await add(database, 3)
                await asyncio.sleep(0.3)
            await until_relayed(database)
    finally:
        await late.close()
    assert sorted(flat(await stored(broker))) == sorted(slow + quick)


async def test_nothing_is_sent_twice_after_a_restart(journal_url, database, broker):
    ids = await add(database, 300)
    async with relaying(journal_url, broker):
        await until_relayed(database)
    ids += await add(database, 300)
    async with relaying(journal_url, broker):
        await until_relayed(database)
    assert flat(await stored(broker)) == ids


async def test_relay_that_died_before_its_cursor_sends_again_and_loses_none(
    journal_url, database, broker
):
    ids = await add(database, 300)
    async with relaying(journal_url, broker):
        await until_relayed(database)
    await database.execute("TRUNCATE relay_cursor")
    ids += await add(database, 10)
    async with relaying(journal_url, broker):
        await until_relayed(database)
    # At least once: the receiver keeps one record a message id.
    assert list(dict.fromkeys(flat(await stored(broker)))) == ids


async def test_a_broker_that_lost_its_disk_is_sent_again_what_shares_a_message_with_new_calls(
    journal_url, database, broker
):
    ids = await add(database, 5)
    async with relaying(journal_url, broker):
        await until_relayed(database)
    await broker.api("STREAM.PURGE.JOURNAL")
    ids += await add(database, 3)
    relay = Relay(journal_url, broker, JournalSource())
    await relay._after_reconnect()
    task = asyncio.create_task(relay.run())
    await until_relayed(database)
    task.cancel()
    await asyncio.wait([task])
    assert flat(await stored(broker)) == ids


async def test_calls_keep_their_order_where_transaction_ids_grow_a_digit(journal_url, database):
    # Sorted as text, 1000 stood before 999: the cursor passed what it had not sent, for good.
    ids, now = [], datetime.now(UTC)
    for xid in ("9", "10", "99", "100"):
        ids.append(str(uuid7()))
        record = orjson.dumps({"message_id": ids[-1]}).decode()
        await database.execute(
            "INSERT INTO journal (day, message_id, phase, at, record, xid) "
            "VALUES ($1, $2::text::uuid, 'completed', $3, $4, $5::text::xid8)",
            now.date(), ids[-1], now, record, xid,
        )  # fmt: skip
    source = JournalSource()
    rows = await source.read(database, Cursor(0, 0), 500)
    assert [r["message_id"] for r in orjson.loads(rows[0].payload)] == ids
    assert (await source.rewound(database, timedelta(minutes=5))).xid == 9


async def test_rewound_cursor_stands_before_the_recent_calls(journal_url, database):
    source = JournalSource()
    assert (await source.rewound(database, timedelta(minutes=5))).is_end
    ids = await add(database, 3)
    cursor = await source.rewound(database, timedelta(minutes=5))
    rows = await source.read(database, cursor, 500)
    assert [r["message_id"] for r in orjson.loads(rows[0].payload)] == ids
