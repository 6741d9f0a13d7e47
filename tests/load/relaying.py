"""How many facts a second the relay carries from an outbox to a broker that syncs each batch."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg
from figures import figure, middle
from sebalai_shared.broker import EVENTS, Broker
from sebalai_shared.outbox import OutboxSource
from sebalai_shared.relay import Relay

EVENTS_EACH = 10_000
ROUNDS = 3
# Half a kilobyte, as a fact with ids, a trace and a few codes is.
FILL = """
INSERT INTO outbox (id, type, document)
SELECT id, 'exchange.bench.run.v1', jsonb_build_object(
  'specversion', '1.0', 'id', id, 'source', 'urn:sebalai:exchange', 'type', 'exchange.bench.run.v1',
  'subject', 'key-' || n % 97, 'time', '2026-11-24T08:00:00.000Z',
  'data', jsonb_build_object('number', n, 'note', repeat('x', 300)))
FROM (SELECT uuidv7() AS id, n FROM generate_series(1, $1) n) made
"""


async def relaying(settings: Any) -> None:
    broker = Broker(settings)
    await broker.connect()
    connection = await asyncpg.connect(settings.database_dsn())
    try:
        await broker.ensure_stream(EVENTS, is_owner=True)
        await _relayed(settings, broker, connection)  # what the suite has published before
        rounds = [await _round(settings, broker, connection) for _ in range(ROUNDS)]
    finally:
        await connection.close()
        await broker.close()
    figure("events.relay", middle(rounds, "rate"), "events/s", ">=", 8_000)
    figure("events.relay_processor", middle(rounds, "processor"), "us/event")


async def _round(settings: Any, broker: Broker, connection: Any) -> dict[str, float]:
    """From the first look at the outbox to the cursor behind the last acknowledged event."""
    await connection.execute(FILL, EVENTS_EACH)
    before = await _stored(broker)
    begun, processor = time.perf_counter(), time.process_time()
    await _relayed(settings, broker, connection)
    took, spent = time.perf_counter() - begun, time.process_time() - processor
    stored = await _stored(broker) - before
    assert stored == EVENTS_EACH, f"{stored} of {EVENTS_EACH}"
    return {"rate": EVENTS_EACH / took, "processor": spent / EVENTS_EACH * 1e6}


async def _relayed(settings: Any, broker: Broker, connection: Any) -> None:
    last = await connection.fetchval("SELECT max(seq) FROM outbox")
    task = asyncio.create_task(Relay(settings.database_dsn(), broker, OutboxSource()).run())
    try:
        while (
            await connection.fetchval("SELECT seq FROM relay_cursor WHERE name = 'outbox'") != last
        ):
            await asyncio.sleep(0.01)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _stored(broker: Broker) -> int:
    return int((await broker.api("STREAM.INFO.EVENTS", {}))["state"]["messages"])
