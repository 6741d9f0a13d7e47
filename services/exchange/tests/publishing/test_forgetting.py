"""Events whose time is over go by the month, and what went stands in a fact of the platform."""

import contextlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import sebalai_exchange
from sebalai_exchange.contracts import EVENTS
from sebalai_exchange.ledger.entry import entry_of_event
from sebalai_exchange.publishing.facts import EXPIRED
from sebalai_exchange.publishing.forgetting import forget_month
from sebalai_exchange.publishing.partitions import prepare_partitions
from sebalai_exchange.publishing.sequencer import move
from sebalai_shared.database import Database
from sebalai_shared.testing.clock import FixedClock
from sebalai_shared.testing.database import fresh_database

from services.exchange.tests.publishing.test_sequencer import add, log

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=100)


@pytest.fixture
async def store(postgres_admin_url, settings):
    """(a driver's connection, a database) of one event store."""
    package = Path(sebalai_exchange.__file__).parent
    url = await fresh_database(postgres_admin_url, "exchange_forgetting", package)
    database = Database(settings.model_copy(update={"database_url": url}))
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    yield connection, database
    await connection.close()
    await database.close()


async def forget(database, now=NOW):
    async with database.transaction() as session:
        return await forget_month(session, FixedClock(now))


async def facts(connection):
    rows = await connection.fetch("SELECT document FROM outbox ORDER BY seq")
    return [json.loads(row["document"]) for row in rows]


async def test_a_month_that_is_over_goes_whole_and_leaves_its_count(store):
    connection, database = store
    await prepare_partitions(connection, LONG_AGO)
    for name in ("a", "b", "c"):
        await add(connection, name, 30, LONG_AGO)
    await add(connection, "long", 3650, LONG_AGO)
    await add(connection, "fresh", 30, NOW)
    await move(connection)
    assert await forget(database) == "event_30_2026_08"
    assert [name for _, name in await log(connection)] == ["long", "fresh"]
    (fact,) = await facts(connection)
    assert (fact["type"], fact["time"]) == (EXPIRED, "2026-11-24T08:00:00.000Z")
    assert fact["data"] == {
        "kept_days": 30, "stored_from": "2026-08-01T00:00:00.000Z",
        "stored_until": "2026-09-01T00:00:00.000Z", "events": 3,
        "first_position": 1, "last_position": 3,
    }  # fmt: skip
    assert set(fact["data"]) == set(EVENTS[EXPIRED])
    assert entry_of_event(fact).log == "records"


async def test_nothing_goes_before_its_last_day_and_nothing_twice(store):
    connection, database = store
    await prepare_partitions(connection, LONG_AGO)
    await add(connection, "a", 30, LONG_AGO)
    await move(connection)
    last = datetime(2026, 9, 30, 23, 59, tzinfo=UTC)
    assert await forget(database, last) is None
    assert await forget(database, last + timedelta(minutes=1)) == "event_30_2026_08"
    assert await forget(database, last + timedelta(minutes=1)) is None
    assert len(await facts(connection)) == 1


async def test_a_month_without_events_goes_without_a_word(store):
    connection, database = store
    await prepare_partitions(connection, LONG_AGO)
    assert await forget(database) == "event_30_2026_08"
    assert await facts(connection) == []


async def test_what_was_not_committed_is_neither_gone_nor_told(store):
    connection, database = store
    await prepare_partitions(connection, LONG_AGO)
    await add(connection, "a", 30, LONG_AGO)
    await move(connection)
    undone = contextlib.suppress(ZeroDivisionError)
    with undone:
        async with database.transaction() as session:
            assert await forget_month(session, FixedClock(NOW))
            raise ZeroDivisionError
    assert [name for _, name in await log(connection)] == ["a"]
    assert await facts(connection) == []
