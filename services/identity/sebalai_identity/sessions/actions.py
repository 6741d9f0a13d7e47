"""Starting, recognising, raising, listing and ending sessions.

Every sign-in and every step-up makes a new cookie value, so a value planted beforehand opens
nothing (no fixation). Owns no page and no credential: who calls `start` has seen the proof.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.assurance import level_by
from sebalai_identity.grants.actions import end_session_tokens
from sebalai_identity.sessions import access, events, store
from sebalai_identity.sessions.model import SignedIn
from sebalai_identity.sessions.schema import Device, Opened, Session

__all__ = ["Device", "EndReason", "Opened", "Session"]

COOKIE_BYTES = 32
COOKIE_LENGTH = 43
TOUCH_EACH = timedelta(minutes=1)
KEPT = timedelta(days=30)
ENDED_AT_ONCE = 200
LOOPBACK_NAME = "sebalai-session"
SECURE_NAME = f"__Host-{LOOPBACK_NAME}"

EndReason = Literal["signed-out", "everywhere", "replaced", "crowded-out", "administration"]


def cookie_name(public_url: str) -> str:
    """The `__Host-` name binds it to this host over https; loopback http cannot bear it."""
    return SECURE_NAME if public_url.startswith("https://") else LOOPBACK_NAME


async def current(session: AsyncSession, clock: Clock, *, cookie: str | None) -> Session | None:
    """The live session this cookie value opens, noting that it was seen; else None."""
    if cookie is None or len(cookie) != COOKIE_LENGTH:
        return None
    row = await store.living(session, cookie)
    now = clock.now()
    level = access.level_now(row, now) if row is not None else 0
    if row is None or level == 0:
        return None
    if row.seen_at + TOUCH_EACH <= now:
        await store.touch(session, row, now, lapses=level < row.level)
    return _read(row, level)


async def hold(session: AsyncSession, *, session_id: UUID) -> bool:
    """False once somebody ended it. While the caller's transaction runs nobody can: whoever then
    ends it finds the tokens that were given out meanwhile.
    """
    return await store.hold(session, session_id)


async def start(
    session: AsyncSession,
    clock: Clock,
    *,
    subject: UUID,
    methods: Sequence[str],
    device: Device,
    replaces: str | None = None,
) -> Opened:
    """A new session by proof just seen; `replaces` is the cookie value it was asked with, ended
    with it. The oldest of store.LISTED_MAX gives way, so that no list grows without end.
    """
    if replaces:
        await end_by_cookie(session, clock, cookie=replaces, reason="replaced")
    now, cookie, level = clock.now(), secrets.token_urlsafe(COOKIE_BYTES), level_by(methods)
    row = SignedIn(
        id=uuid7(),
        digest=store.digest_of(cookie),
        subject=subject,
        level=level,
        auth_time=now,
        floor_level=level,
        floor_since=now,
        methods=sorted(set(methods)),
        device=device.name,
        network=device.network,
        started_at=now,
        seen_at=now,
        expires_at=now,
    )
    row.expires_at = access.ends_at(row)
    crowded = await store.insert(session, row, now)
    if crowded:
        await end(session, clock, subject=subject, session_ids=crowded, reason="crowded-out")
    made = _read(row, level)
    await publish(session, events.started(row.id, subject, made.acr, made.amr, now))
    return Opened(made, cookie)


async def raise_session(
    session: AsyncSession, clock: Clock, *, cookie: str, methods: Sequence[str]
) -> Opened | None:
    """The same session (same `sid`) after its person proved themself anew, under a new cookie.

    It is worth what the new proof gives, even if that is less: an acr must never claim an
    `auth_time` it was not reached at. None: there is no such session.
    """
    row, now = await store.by_cookie(session, cookie), clock.now()
    held = access.level_now(row, now) if row is not None else 0
    if row is None or held == 0:
        return None
    level, fresh = level_by(methods), secrets.token_urlsafe(COOKIE_BYTES)
    if level > held:
        row.floor_since = row.auth_time if row.level == held else row.floor_since
        row.floor_level = held
    else:
        row.floor_level, row.floor_since = level, now
    row.level, row.auth_time, row.seen_at = level, now, now
    row.methods, row.digest = sorted(set(methods)), store.digest_of(fresh)
    row.expires_at = access.ends_at(row)
    await session.flush()
    made = _read(row, level)
    await publish(session, events.raised(row.id, row.subject, made.acr, made.amr, now))
    return Opened(made, fresh)


async def date_back(session: AsyncSession, *, session_id: UUID, to: datetime) -> None:
    """The proof that opened or raised it was seen elsewhere, earlier: it counts from then."""
    row = await session.get_one(SignedIn, session_id)
    row.auth_time, row.floor_since = min(row.auth_time, to), min(row.floor_since, to)
    row.expires_at = access.ends_at(row)
    await session.flush()


async def list_sessions(session: AsyncSession, clock: Clock, *, subject: UUID) -> list[Session]:
    """Live ones, the latest seen first, at most store.LISTED_MAX."""
    now = clock.now()
    rows = await store.of_subject(session, subject, now)
    found = [(row, access.level_now(row, now)) for row in rows]
    return [_read(row, level) for row, level in found if level > 0]


async def end(
    session: AsyncSession,
    clock: Clock,
    *,
    subject: UUID,
    session_ids: Sequence[UUID] | None,
    reason: EndReason,
) -> Sequence[UUID]:
    """Ends the named sessions of this subject, or all (None), with every token that came of them;
    answers which it ended. A session of somebody else is not touched and not told of.
    """
    gone = await store.end(session, subject, session_ids, clock.now(), reason)
    for session_id in gone:
        await end_session_tokens(session, clock, session_id=session_id, reason=reason)
        await publish(session, events.ended(session_id, subject, reason, clock.now()))
    return gone


async def end_others(
    session: AsyncSession, clock: Clock, *, subject: UUID, kept: UUID, reason: EndReason
) -> None:
    """All of this subject but one; lapsed ones too, whose refresh tokens may live longer."""
    found = await store.not_ended(session, subject)
    others = [session_id for session_id in found if session_id != kept]
    await end(session, clock, subject=subject, session_ids=others, reason=reason)


async def end_of_method(session: AsyncSession, clock: Clock, *, method: str) -> int:
    """Ends sessions that stand on this method, at most ENDED_AT_ONCE; answers how many it found."""
    found = await store.of_method(session, method, clock.now(), ENDED_AT_ONCE)
    for row in found:
        await end(
            session, clock, subject=row.subject, session_ids=[row.id], reason="administration"
        )
    return len(found)


async def end_by_cookie(
    session: AsyncSession, clock: Clock, *, cookie: str, reason: EndReason = "signed-out"
) -> UUID | None:
    """The `sid` of what it ended, if the cookie still opened something."""
    row = await store.by_cookie(session, cookie)
    if row is None:
        return None
    await end(session, clock, subject=row.subject, session_ids=[row.id], reason=reason)
    return row.id


async def sweep_sessions(session: AsyncSession, clock: Clock) -> None:
    """Forgets sessions over for longer than KEPT."""
    await store.sweep(session, clock.now(), KEPT)


def _read(row: SignedIn, level: int) -> Session:
    return Session(
        id=row.id,
        subject=row.subject,
        level=level,
        auth_time=row.auth_time,
        amr=tuple(row.methods),
        started_at=row.started_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        device=Device(row.device, row.network),
    )
