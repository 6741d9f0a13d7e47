"""SQL of what is good once: client assertions and DPoP proofs, pushed requests, codes. Secrets are
kept as their SHA-256 only.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sebalai_shared.statements import execute, fetch_one
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.oauth.model import CODES, PROOFS, PUSHED

# The first part finds the same name under another end, the second lets one of two at once win.
_USE = (
    "INSERT INTO used_proof (slot, owner, jti) SELECT $1, $2, $3"
    " WHERE NOT EXISTS (SELECT FROM used_proof WHERE slot = ANY($4)"
    " AND owner = $2 AND jti = $3) ON CONFLICT DO NOTHING"
)


async def use_once(session: AsyncSession, owner: str, jti: str, expires_at: datetime) -> bool:
    """Never by catching the unique violation: that would end the transaction."""
    slot = PROOFS.slot(expires_at)
    return await execute(session, _USE, slot, owner, jti, PROOFS.slots) > 0


# --- pushed requests (RFC 9126) ----------------------------------------------------------------
_PUSH = (
    "INSERT INTO pushed_request (slot, digest, client_id, parameters, expires_at)"
    " VALUES ($1, $2, $3, $4::jsonb, $5)"
)
_PUSHED = (
    "SELECT client_id, parameters, expires_at FROM pushed_request"
    " WHERE slot = ANY($1) AND digest = $2 AND used_at IS NULL"
)
_PUSHED_USED = (
    "UPDATE pushed_request SET used_at = $3"
    " WHERE slot = ANY($1) AND digest = $2 AND used_at IS NULL"
)


def digest_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


async def push(
    session: AsyncSession,
    reference: str,
    client_id: UUID,
    parameters: Mapping[str, str],
    expires: datetime,
) -> None:
    whole = orjson.dumps(dict(parameters)).decode()
    slot, digest = PUSHED.slot(expires), digest_of(reference)
    await execute(session, _PUSH, slot, digest, client_id, whole, expires)


async def pushed(session: AsyncSession, reference: str) -> Any | None:
    return await fetch_one(session, _PUSHED, PUSHED.slots, digest_of(reference))


async def use_pushed(session: AsyncSession, digest: bytes, at: datetime) -> bool:
    return await execute(session, _PUSHED_USED, PUSHED.slots, digest, at) > 0


# --- authorization codes -----------------------------------------------------------------------
_CODE = (
    "INSERT INTO authorization_code (slot, digest, grant_id, content, expires_at)"
    " VALUES ($1, $2, $3, $4::jsonb, $5)"
)
_REDEEM = (
    "UPDATE authorization_code SET used_at = $3 WHERE slot = ANY($1) AND digest = $2"
    " AND used_at IS NULL RETURNING grant_id, content, expires_at"
)
_REDEEMED = "SELECT grant_id FROM authorization_code WHERE slot = ANY($1) AND digest = $2"


async def keep_code(
    session: AsyncSession, code: str, grant_id: UUID, content: dict[str, Any], expires: datetime,
    known_until: datetime,
) -> None:  # fmt: skip
    """Kept until `known_until`, so that a second use is recognised long after."""
    whole = orjson.dumps(content).decode()
    slot, digest = CODES.slot(known_until), digest_of(code)
    await execute(session, _CODE, slot, digest, grant_id, whole, expires)


async def redeem_code(session: AsyncSession, code: str, at: datetime) -> Any | None:
    """One statement, so that of many at once one wins; None for unknown and used alike."""
    return await fetch_one(session, _REDEEM, CODES.slots, digest_of(code), at)


async def grant_of_code(session: AsyncSession, code: str) -> UUID | None:
    row = await fetch_one(session, _REDEEMED, CODES.slots, digest_of(code))
    return row.grant_id if row is not None else None
