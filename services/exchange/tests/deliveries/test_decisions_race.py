"""Decisions about deliveries that meet each other, or somebody who fetches, on the same row."""

import asyncio

from sebalai_shared.ids import uuid7
from sqlalchemy import text

from services.exchange.tests.deliveries.test_pull import ack, filled, pull

__all__ = ["filled"]

_WAITS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE :query"
)


async def test_what_was_sent_again_and_fetched_meanwhile_is_not_sent_again_once_more(bus, filled):
    """Two people resend the same dead event; between them a puller has it already on a lease."""
    batch = await pull(bus, filled, max=1)
    lease, path = uuid7(), f"/v1/subscriptions/{filled['id']}/resend"
    async with bus.database.transaction() as session:
        await session.execute(text("UPDATE delivery SET state = 'dead' WHERE lease IS NOT NULL"))
    async with bus.database.transaction() as first:
        await first.execute(
            text("UPDATE delivery SET state = 'leased', lease = :lease WHERE state = 'dead'"),
            {"lease": lease},
        )
        second = asyncio.create_task(bus.ask("POST", path, bus.subscriber, json={}))

        async def waits():
            async with bus.database.transaction() as session:
                return await session.scalar(_WAITS, {"query": "%UPDATE delivery SET state%"})

        await bus.until(waits)
    assert (await second).json() == {"count": 1, "done": 0}
    kept = {"lease": str(lease), "events": batch["events"]}
    assert (await ack(bus, filled, kept)).json() == {"count": 1}
