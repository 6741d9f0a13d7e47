"""Receipts of deliveries: what was delivered becomes a leaf of the ledger, once.

The id follows from event and subscription, so an event delivered twice has one receipt.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from sebalai_shared.clock import to_text
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.ledger.actions import take_statements

BATCH_ROWS = 500
DELIVERED = "exchange.event.delivered.v1"


def receipt_id(event_id: UUID, subscription: UUID) -> UUID:
    return uuid5(event_id, str(subscription))


_DUE = text(
    """
    WITH due AS (
      DELETE FROM receipt_due WHERE seq IN (SELECT seq FROM receipt_due ORDER BY seq LIMIT :limit)
      RETURNING subscription, event_id, attempts, status, at
    )
    SELECT d.*, s.subscriber, e.publisher, e.source, e.id, e.type
    FROM due d JOIN subscription s ON s.id = d.subscription
    JOIN event e ON e.event_id = d.event_id
    """
)


async def give_receipts(session: AsyncSession) -> int:
    """Hands up to BATCH_ROWS deliveries to the ledger; answers how many."""
    rows = (await session.execute(_DUE, {"limit": BATCH_ROWS})).mappings().all()
    await take_statements(session, statements=[_statement(dict(row)) for row in rows])
    return len(rows)


def _statement(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(receipt_id(row["event_id"], row["subscription"])),
        "source": "urn:sebalai:exchange",
        "type": DELIVERED,
        "time": to_text(row["at"]),
        "data": {
            "event_id": str(row["event_id"]),
            "event_source": row["source"],
            "event": row["id"],
            "event_type": row["type"],
            "subscription": str(row["subscription"]),
            "provider": row["publisher"],
            "consumer": row["subscriber"],
            "attempts": row["attempts"],
            "status": row["status"],
        },
    }
