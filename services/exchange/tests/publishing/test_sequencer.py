"""Positions: dense, once, in the order of commits; and partitions that are dropped by their class."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sebalai_exchange.publishing.partitions import is_over, prepare_partitions
from sebalai_exchange.publishing.sequencer import move
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.database import fresh_database

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
_ADD = """
INSERT INTO event_new (event_id, source, id, type, key, publisher, parties, retention_days,
  document, stored_at) VALUES ($1, '/s', $2, 'a.b.c.v1', 'k', 'p', '{}', $3, '{}', $4)
"""


@pytest.fixture
async def connect(postgres_admin_url, tmp_path):
    from pathlib import Path  # noqa: PLC0415

    import sebalai_exchange  # noqa: PLC0415

    package = Path(sebalai_exchange.__file__).parent
    url = await fresh_database(postgres_admin_url, "exchange_positions", package)
    opened = []

    async def connect():
        opened.append(await asyncpg.connect(url))
        return opened[-1]

    yield connect
    for connection in opened:
        await connection.close()


async def add(connection, name, days=365, at=NOW):
    await connection.execute(_ADD, uuid7(), name, days, at)


async def log(connection):
    return [tuple(row) for row in await connection.fetch("SELECT pos, id FROM event ORDER BY pos")]


async def test_positions_are_dense_and_given_once(connect):
    one = await connect()
    for number in range(5):
        await add(one, str(number))
    assert [await move(one, 2), await move(one, 2), await move(one, 2), await move(one)] == [
        2, 2, 1, 0,
    ]  # fmt: skip
    assert await log(one) == [(n + 1, str(n)) for n in range(5)]
    assert await one.fetchval("SELECT count(*) FROM event_new") == 0


async def test_a_transaction_that_commits_late_is_not_skipped(connect):
    early, late, reader = await connect(), await connect(), await connect()
    open_one = late.transaction()
    await open_one.start()
    await add(late, "begun first")
    await add(early, "committed first")
    assert await move(reader) == 1
    await open_one.commit()
    assert await move(reader) == 1
    assert await log(reader) == [(1, "committed first"), (2, "begun first")]


async def test_a_rolled_back_event_leaves_no_gap(connect):
    one, other = await connect(), await connect()
    undone = other.transaction()
    await undone.start()
    await add(other, "never was")
    await add(one, "first")
    await undone.rollback()
    await add(one, "second")
    await move(one)
    assert await log(one) == [(1, "first"), (2, "second")]


async def test_a_move_that_is_cut_off_changes_nothing(connect):
    one, reader = await connect(), await connect()
    await add(one, "a")
    cut = one.transaction()
    await cut.start()
    assert await move(one) == 1
    await cut.rollback()
    assert await log(reader) == []
    assert await move(reader) == 1
    assert await log(reader) == [(1, "a")]


async def test_months_are_made_ahead_and_attempts_dropped_when_their_time_is_over(connect):
    one = await connect()
    await prepare_partitions(one, NOW - timedelta(days=200))
    await add(one, "short", 30, NOW - timedelta(days=200))
    await move(one)
    assert await prepare_partitions(one, NOW) == [
        "attempt_2026_05", "attempt_2026_06", "attempt_2026_07",
    ]  # fmt: skip
    assert [name for _, name in await log(one)] == ["short"]
    assert await prepare_partitions(one, NOW) == []


@pytest.mark.parametrize(
    ("parent", "partition", "is_dropped"),
    [
        ("event_30", "event_30_2026_10", False),
        ("event_30", "event_30_2026_09", True),
        ("event_365", "event_365_2025_12", False),
        ("event_365", "event_365_2025_10", True),
        ("event_30", "event_30_rest", False),
        ("attempt", "attempt_2026_07", True),
        ("attempt", "attempt_2026_09", False),
    ],
)
def test_a_partition_is_over_when_its_last_day_is(parent, partition, is_dropped):
    assert is_over(parent, partition, NOW) is is_dropped
