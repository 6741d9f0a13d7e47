"""SQL of refresh families: one row a sign-in and client, whatever number of tokens it gave out."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sebalai_shared.statements import execute, fetch_one
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.grants.model import FAMILIES

_INSERT = (
    "INSERT INTO refresh_family (slot, id, client_id, subject, session_id, content, jkt, moved_at,"
    " idle_until, absolute_until) VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10)"
)
# The one statement that decides: of many at once one finds the number still as it was.
_MOVE = (
    "UPDATE refresh_family SET number = number + $1, moved_at = $2,"
    " idle_until = LEAST($3, absolute_until)"
    " WHERE slot = $4 AND id = $5 AND number = $6 AND client_id = $7"
    " AND jkt IS NOT DISTINCT FROM $8 AND revoked_at IS NULL AND idle_until > $2"
    " RETURNING subject, session_id, content, idle_until, absolute_until, number"
)
_FIND = (
    "SELECT client_id, subject, session_id, content, jkt, number, moved_at, idle_until,"
    " absolute_until, revoked_at FROM refresh_family WHERE slot = $1 AND id = $2"
)
_REVOKE = text(
    "UPDATE refresh_family SET revoked_at = :at, reason = :reason"
    " WHERE id = :id AND revoked_at IS NULL"
)
_REVOKE_OF = {
    name: text(
        f"UPDATE refresh_family SET revoked_at = :at, reason = :reason"  # noqa: S608
        f" WHERE {name} = :value AND revoked_at IS NULL RETURNING id"
    )
    for name in ("subject", "session_id", "client_id")
}


async def insert(session: AsyncSession, family: dict[str, Any]) -> None:
    content = orjson.dumps(family["content"]).decode()
    rest = (family[name] for name in ("jkt", "moved_at", "idle_until", "absolute_until"))
    names = (family[name] for name in ("id", "client_id", "subject", "session_id"))
    slot = FAMILIES.slot(family["absolute_until"])
    await execute(session, _INSERT, slot, *names, content, *rest)


async def move(session: AsyncSession, step: dict[str, Any]) -> Any | None:
    names = ("step", "at", "idle_until", "slot", "id", "number", "client_id", "jkt")
    return await fetch_one(session, _MOVE, *(step[name] for name in names))


async def find(session: AsyncSession, slot: int, family_id: UUID) -> Any | None:
    return await fetch_one(session, _FIND, slot, family_id)


async def revoke(session: AsyncSession, family_id: UUID, reason: str, at: datetime) -> bool:
    names = {"id": family_id, "reason": reason, "at": at}
    result: Any = await session.execute(_REVOKE, names)
    return bool(result.rowcount)


async def revoke_of(
    session: AsyncSession, column: str, value: UUID, reason: str, at: datetime
) -> list[UUID]:
    """`column`: subject, session_id or client_id. Answers which families it ended."""
    names = {"value": value, "reason": reason, "at": at}
    return list((await session.scalars(_REVOKE_OF[column], names)).all())


_REVOKE_PAIR = text(
    "UPDATE refresh_family SET revoked_at = :at, reason = :reason WHERE subject = :subject"
    " AND client_id = :client_id AND revoked_at IS NULL RETURNING id"
)


async def revoke_pair(
    session: AsyncSession, subject: UUID, client_id: UUID, reason: str, at: datetime
) -> list[UUID]:
    names = {"subject": subject, "client_id": client_id, "reason": reason, "at": at}
    return list((await session.scalars(_REVOKE_PAIR, names)).all())


# --- who hears of a session's end (OpenID Connect Back-Channel Logout) --------------------------
_LISTEN = text(
    "INSERT INTO logout_listener (session_id, client_id, subject)"
    " VALUES (:session_id, :client_id, :subject) ON CONFLICT DO NOTHING"
)
_ENDED = text(
    "UPDATE logout_listener SET due_at = :at WHERE session_id = :session_id AND due_at IS NULL"
)
_DUE = text(
    "SELECT session_id, client_id, subject, tries FROM logout_listener WHERE due_at <= :at"
    " ORDER BY due_at LIMIT :rows FOR UPDATE SKIP LOCKED"
)
_TOLD = text(
    "DELETE FROM logout_listener WHERE session_id = :session_id AND client_id = :client_id"
)
_AGAIN = text(
    "UPDATE logout_listener SET tries = tries + 1, due_at = :at"
    " WHERE session_id = :session_id AND client_id = :client_id"
)
_FORGET = text("DELETE FROM logout_listener WHERE noted_at < :before")


async def listen(session: AsyncSession, session_id: UUID, client_id: UUID, subject: str) -> None:
    names = {"session_id": session_id, "client_id": client_id, "subject": subject}
    await session.execute(_LISTEN, names)


async def mark_ended(session: AsyncSession, session_id: UUID, at: datetime) -> None:
    await session.execute(_ENDED, {"session_id": session_id, "at": at})


async def due_listeners(session: AsyncSession, at: datetime, rows: int) -> list[Any]:
    return list((await session.execute(_DUE, {"at": at, "rows": rows})).all())


async def told(session: AsyncSession, session_id: UUID, client_id: UUID) -> None:
    await session.execute(_TOLD, {"session_id": session_id, "client_id": client_id})


async def tell_again(
    session: AsyncSession, session_id: UUID, client_id: UUID, at: datetime
) -> None:
    await session.execute(_AGAIN, {"session_id": session_id, "client_id": client_id, "at": at})


async def forget_listeners(session: AsyncSession, before: datetime) -> None:
    await session.execute(_FORGET, {"before": before})
