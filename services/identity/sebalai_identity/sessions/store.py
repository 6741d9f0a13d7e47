"""SQL of sessions. A cookie value is never stored, only its SHA-256."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sebalai_shared.statements import fetch, fetch_one
from sqlalchemy import ARRAY, Text, cast, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.sessions.model import SignedIn

LISTED_MAX = 50
SWEEP_ROWS = 5_000


def digest_of(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()


_LIVING = (
    "SELECT id, digest, subject, level, auth_time, floor_level, floor_since, methods, device,"
    " network, started_at, seen_at, expires_at, ended_at FROM session"
    " WHERE digest = $1 AND ended_at IS NULL"
)


async def living(session: AsyncSession, cookie: str) -> Any | None:
    """To be read only, at every visit: with the columns of `SignedIn`."""
    return await fetch_one(session, _LIVING, digest_of(cookie))


async def by_cookie(session: AsyncSession, cookie: str) -> SignedIn | None:
    """To be changed: held until the transaction ends."""
    query = select(SignedIn).where(
        SignedIn.digest == digest_of(cookie), SignedIn.ended_at.is_(None)
    )
    return await session.scalar(query.with_for_update())


async def of_subject(session: AsyncSession, subject: UUID, at: datetime) -> Sequence[SignedIn]:
    """Not ended and not expired, the latest seen first, at most LISTED_MAX."""
    query = (
        select(SignedIn)
        .where(SignedIn.subject == subject, SignedIn.ended_at.is_(None), SignedIn.expires_at > at)
        .order_by(SignedIn.seen_at.desc(), SignedIn.id)
        .limit(LISTED_MAX)
    )
    return (await session.scalars(query)).all()


_COLUMNS = (
    "id", "digest", "subject", "level", "auth_time", "floor_level", "floor_since", "methods",
    "device", "network", "started_at", "seen_at", "expires_at",
)  # fmt: skip
# The new one is not seen by the rest of the statement that makes it.
_INSERT = (
    f"WITH made AS (INSERT INTO session ({', '.join(_COLUMNS)})"  # noqa: S608 - our own names
    f" VALUES ({', '.join(f'${number + 1}' for number in range(len(_COLUMNS)))}))"
    " SELECT id FROM session WHERE subject = $3 AND ended_at IS NULL AND expires_at > $14"
    " ORDER BY seen_at DESC, id OFFSET $15"
)


async def insert(session: AsyncSession, row: SignedIn, at: datetime) -> list[UUID]:
    """Answers which give way to it: one more than LISTED_MAX lives at `at`."""
    values = (getattr(row, name) for name in _COLUMNS)
    return [one.id for one in await fetch(session, _INSERT, *values, at, LISTED_MAX - 1)]


_HOLD = "SELECT FROM session WHERE id = $1 AND ended_at IS NULL FOR SHARE"


async def hold(session: AsyncSession, session_id: UUID) -> bool:
    """Whether it was not ended; who ends it now waits until this transaction is over."""
    return await fetch_one(session, _HOLD, session_id) is not None


async def touch(session: AsyncSession, row: Any, at: datetime, *, lapses: bool) -> None:
    """Notes a sign of life. `lapses`: what had lapsed must not come back to life by it."""
    values: dict[str, object] = {"seen_at": at}
    if lapses:
        values |= {"level": row.floor_level, "auth_time": row.floor_since}
    await session.execute(
        update(SignedIn)
        .where(SignedIn.id == row.id, SignedIn.digest == row.digest, SignedIn.seen_at < at)
        .values(values)
    )


async def end(
    session: AsyncSession, subject: UUID, session_ids: Sequence[UUID] | None, at: datetime, why: str
) -> Sequence[UUID]:
    """The sessions that this ended: the named ones of the subject, or all."""
    change = (
        update(SignedIn)
        .where(SignedIn.subject == subject, SignedIn.ended_at.is_(None))
        .values(ended_at=at, end_reason=why)
        .returning(SignedIn.id)
    )
    if session_ids is not None:
        change = change.where(SignedIn.id.in_(session_ids))
    return (await session.scalars(change)).all()


async def not_ended(session: AsyncSession, subject: UUID) -> Sequence[UUID]:
    query = select(SignedIn.id).where(SignedIn.subject == subject, SignedIn.ended_at.is_(None))
    return (await session.scalars(query)).all()


async def of_method(
    session: AsyncSession, method: str, at: datetime, limit: int
) -> Sequence[SignedIn]:
    """Not ended and not expired, whose present proof is this method."""
    query = (
        select(SignedIn)
        .where(
            SignedIn.methods.bool_op("@>")(cast([method], ARRAY(Text))),
            SignedIn.ended_at.is_(None),
            SignedIn.expires_at > at,
        )
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def sweep(session: AsyncSession, before: datetime, kept: timedelta) -> None:
    """Forgets what ended or expired longer than `kept` ago."""
    old = (
        select(SignedIn.id)
        .where((SignedIn.expires_at < before - kept) | (SignedIn.ended_at < before - kept))
        .limit(SWEEP_ROWS)
    )
    await session.execute(delete(SignedIn).where(SignedIn.id.in_(old)))
