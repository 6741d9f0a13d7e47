"""SQL of revocations: written in the transaction of their cause, read by cursor.

The cursor is a transaction id, not a row number: rows become visible in the order of commits, which
no sequence knows. All rows of transactions at or above a reader's cursor are sent (again, while an
older transaction is still open), so none can be passed over and none waits for another's end.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.revocations.model import CHANNEL, REVOCATIONS, ROWS_MAX

_INSERT = text(
    "INSERT INTO revocation (slot, key, not_before, reason, expires_at)"
    " VALUES (:slot, :key, :not_before, :reason, :expires_at)"
)
_RING = text(f"SELECT pg_notify('{CHANNEL}', '')")
_HORIZON = text(
    "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS low,"
    " pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS high"
)
_SINCE = text(
    "SELECT key, not_before, expires_at, xid::text AS xid FROM revocation"
    " WHERE xid >= CAST(CAST(:after AS text) AS xid8) AND expires_at > :now"
    " ORDER BY revocation.xid LIMIT :rows"
)
_IS_REVOKED = text(
    "SELECT EXISTS (SELECT FROM revocation WHERE key = ANY(:keys) AND not_before > :issued)"
)


async def insert(
    session: AsyncSession, key: str, not_before: datetime, reason: str, expires: datetime
) -> None:
    names = {
        "slot": REVOCATIONS.slot(expires),
        "key": key,
        "not_before": not_before,
        "reason": reason,
        "expires_at": expires,
    }
    await session.execute(_INSERT, names)
    await session.execute(_RING)


async def horizon(session: AsyncSession) -> tuple[int, int]:
    row = (await session.execute(_HORIZON)).one()
    return row.low, row.high


async def since(session: AsyncSession, after: int, now: datetime) -> list[Any]:
    """At most ROWS_MAX + 1."""
    names = {"after": str(after), "now": now, "rows": ROWS_MAX + 1}
    return list((await session.execute(_SINCE, names)).all())


async def is_revoked(session: AsyncSession, keys: list[str], issued: datetime) -> bool:
    return bool(await session.scalar(_IS_REVOKED, {"keys": keys, "issued": issued}))
