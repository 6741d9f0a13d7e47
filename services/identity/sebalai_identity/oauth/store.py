"""SQL of used proofs: client assertions and DPoP proofs that were seen, until they expire."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.oauth.model import PROOFS

# The first part finds the same name under another end, the second lets one of two at once win.
_USE = text(
    "INSERT INTO used_proof (slot, owner, jti) SELECT :slot, :owner, :jti"
    " WHERE NOT EXISTS (SELECT FROM used_proof WHERE slot = ANY(:slots)"
    " AND owner = :owner AND jti = :jti) ON CONFLICT DO NOTHING"
)


async def use_once(session: AsyncSession, owner: str, jti: str, expires_at: datetime) -> bool:
    """Never by catching the unique violation: that would end the transaction."""
    names = {
        "slot": PROOFS.slot(expires_at),
        "slots": PROOFS.slots,
        "owner": owner,
        "jti": jti,
    }
    result: Any = await session.execute(_USE, names)
    return bool(result.rowcount)
