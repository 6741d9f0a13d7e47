"""SQL of used assertions; the storage of the grant on PostgreSQL."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

SWEEP_ROWS = 50_000

_USE = text(
    "INSERT INTO used_assertion (client_id, jti, expires_at) VALUES (:client_id, :jti, :expires_at)"
    " ON CONFLICT DO NOTHING"
)
_SWEEP = text(
    "DELETE FROM used_assertion WHERE (client_id, jti) IN ("
    "SELECT client_id, jti FROM used_assertion WHERE expires_at < :before LIMIT :rows)"
)


async def use_once(session: AsyncSession, client_id: UUID, jti: str, expires_at: datetime) -> bool:
    """Never by catching the unique violation: that would end the transaction."""
    names = {"client_id": client_id, "jti": jti, "expires_at": expires_at}
    result: Any = await session.execute(_USE, names)
    return bool(result.rowcount)


async def sweep(session: AsyncSession, before: datetime) -> None:
    """Forgets assertions that would be refused for their age anyway."""
    await session.execute(_SWEEP, {"before": before, "rows": SWEEP_ROWS})
