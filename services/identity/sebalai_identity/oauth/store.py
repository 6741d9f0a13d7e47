"""SQL of what is good once: client assertions and DPoP proofs, pushed requests, codes. Secrets are
kept as their SHA-256 only.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.oauth.model import CODES, PROOFS, PUSHED

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


# --- pushed requests (RFC 9126) ----------------------------------------------------------------
_PUSH = text(
    "INSERT INTO pushed_request (slot, digest, client_id, parameters, expires_at)"
    " VALUES (:slot, :digest, :client_id, CAST(:parameters AS jsonb), :expires_at)"
)
_PUSHED = text(
    "SELECT client_id, parameters, expires_at FROM pushed_request"
    " WHERE slot = ANY(:slots) AND digest = :digest AND used_at IS NULL"
)
_PUSHED_USED = text(
    "UPDATE pushed_request SET used_at = :at"
    " WHERE slot = ANY(:slots) AND digest = :digest AND used_at IS NULL"
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
    names = {
        "slot": PUSHED.slot(expires),
        "digest": digest_of(reference),
        "client_id": client_id,
        "parameters": orjson.dumps(dict(parameters)).decode(),
        "expires_at": expires,
    }
    await session.execute(_PUSH, names)


async def pushed(session: AsyncSession, reference: str) -> Any | None:
    names = {"slots": PUSHED.slots, "digest": digest_of(reference)}
    return (await session.execute(_PUSHED, names)).one_or_none()


async def use_pushed(session: AsyncSession, digest: bytes, at: datetime) -> bool:
    names = {"slots": PUSHED.slots, "digest": digest, "at": at}
    result: Any = await session.execute(_PUSHED_USED, names)
    return bool(result.rowcount)


# --- authorization codes -----------------------------------------------------------------------
_CODE = text(
    "INSERT INTO authorization_code (slot, digest, grant_id, content, expires_at)"
    " VALUES (:slot, :digest, :grant_id, CAST(:content AS jsonb), :expires_at)"
)
_REDEEM = text(
    "UPDATE authorization_code SET used_at = :at WHERE slot = ANY(:slots) AND digest = :digest"
    " AND used_at IS NULL RETURNING grant_id, content, expires_at"
)
_REDEEMED = text(
    "SELECT grant_id FROM authorization_code WHERE slot = ANY(:slots) AND digest = :digest"
)


async def keep_code(
    session: AsyncSession, code: str, grant_id: UUID, content: dict[str, Any], expires: datetime,
    known_until: datetime,
) -> None:  # fmt: skip
    """Kept until `known_until`, so that a second use is recognised long after."""
    names = {
        "slot": CODES.slot(known_until),
        "digest": digest_of(code),
        "grant_id": grant_id,
        "content": orjson.dumps(content).decode(),
        "expires_at": expires,
    }
    await session.execute(_CODE, names)


async def redeem_code(session: AsyncSession, code: str, at: datetime) -> Any | None:
    """One statement, so that of many at once one wins; None for unknown and used alike."""
    names = {"slots": CODES.slots, "digest": digest_of(code), "at": at}
    return (await session.execute(_REDEEM, names)).one_or_none()


async def grant_of_code(session: AsyncSession, code: str) -> UUID | None:
    names = {"slots": CODES.slots, "digest": digest_of(code)}
    return await session.scalar(_REDEEMED, names)
