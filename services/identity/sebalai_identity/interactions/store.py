"""SQL of interactions; an id is kept as its SHA-256 only, so the database alone opens none."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.interactions.model import INTERACTIONS

_INSERT = text(
    "INSERT INTO interaction (slot, digest, wanted, opened_at, expires_at)"
    " VALUES (:slot, :digest, CAST(:wanted AS jsonb), :opened_at, :expires_at)"
)
_FIND = text(
    "SELECT wanted, opened_at, expires_at, consented_by, refusal, chosen_by, chosen"
    " FROM interaction"
    " WHERE digest = :digest AND closed_at IS NULL"
)
_CONSENT = text(
    "UPDATE interaction SET consented_at = :at, consented_by = :subject WHERE digest = :digest"
    " AND closed_at IS NULL AND expires_at > :at"
)
_CHOOSE = text(
    "UPDATE interaction SET chosen_by = :subject, chosen = :business WHERE digest = :digest"
    " AND closed_at IS NULL AND expires_at > :at"
)
_REFUSE = text(
    "UPDATE interaction SET refusal = :refusal WHERE digest = :digest AND closed_at IS NULL"
    " AND expires_at > :at"
)
_CLOSE = text(
    "UPDATE interaction SET closed_at = :at WHERE digest = :digest AND closed_at IS NULL"
    " AND expires_at > :at"
)


def _digest(interaction_id: str) -> bytes:
    return hashlib.sha256(interaction_id.encode()).digest()


async def insert(
    session: AsyncSession, interaction_id: str, wanted: dict[str, Any], opened: datetime,
    expires: datetime,
) -> None:  # fmt: skip
    names = {
        "slot": INTERACTIONS.slot(expires),
        "digest": _digest(interaction_id),
        "wanted": orjson.dumps(wanted, default=str).decode(),
        "opened_at": opened,
        "expires_at": expires,
    }
    await session.execute(_INSERT, names)


async def find(session: AsyncSession, interaction_id: str) -> Any | None:
    result = await session.execute(_FIND, {"digest": _digest(interaction_id)})
    return result.one_or_none()


async def _update(session: AsyncSession, statement: Any, names: dict[str, Any]) -> bool:
    result: Any = await session.execute(statement, names)
    return bool(result.rowcount)


async def consent(session: AsyncSession, interaction_id: str, subject: UUID, at: datetime) -> bool:
    names = {"digest": _digest(interaction_id), "subject": subject, "at": at}
    return await _update(session, _CONSENT, names)


async def choose(
    session: AsyncSession,
    interaction_id: str,
    subject: UUID,
    business: UUID | None,
    at: datetime,
) -> bool:
    names = {"digest": _digest(interaction_id), "subject": subject, "business": business, "at": at}
    return await _update(session, _CHOOSE, names)


async def refuse(session: AsyncSession, interaction_id: str, refusal: str, at: datetime) -> bool:
    names = {"digest": _digest(interaction_id), "refusal": refusal, "at": at}
    return await _update(session, _REFUSE, names)


async def close(session: AsyncSession, interaction_id: str, at: datetime) -> bool:
    return await _update(session, _CLOSE, {"digest": _digest(interaction_id), "at": at})
