"""Refresh families as others may touch them: the token endpoint begins and moves them; whoever ends
a session, a person, a consent or a client ends theirs, with every access token that stems from it.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sebalai_shared.clock import Clock
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.grants import store
from sebalai_identity.grants.model import FAMILIES
from sebalai_identity.revocations.actions import revoke

__all__ = ["FAMILIES"]

TRIES = 3
RETRY = timedelta(seconds=30)
KEPT = timedelta(days=31)


async def begin_family(session: AsyncSession, *, family: dict[str, Any]) -> None:
    await store.insert(session, family)


async def move_family(session: AsyncSession, *, step: dict[str, Any]) -> Any | None:
    """The one statement that decides who of many at once goes on; None for all others."""
    return await store.move(session, step)


async def find_family(session: AsyncSession, *, slot: int, family_id: UUID) -> Any | None:
    return await store.find(session, slot, family_id)


async def end_grant(session: AsyncSession, clock: Clock, *, grant_id: UUID, reason: str) -> None:
    """A family, and every access token of its grant; also where there is no family."""
    await store.revoke(session, grant_id, reason, clock.now())
    await revoke(session, clock, kind="jti", value=grant_id, reason=reason)


async def end_session_tokens(
    session: AsyncSession, clock: Clock, *, session_id: UUID, reason: str
) -> None:
    """Whatever came of a session; its clients are told by the worker."""
    await store.revoke_of(session, "session_id", session_id, reason, clock.now())
    await revoke(session, clock, kind="sid", value=session_id, reason=reason)
    await store.mark_ended(session, session_id, clock.now())


async def end_person_tokens(
    session: AsyncSession, clock: Clock, *, person_id: UUID, reason: str
) -> None:
    """Whatever a person gave, to pairwise clients too."""
    ended = await store.revoke_of(session, "subject", person_id, reason, clock.now())
    for grant_id in ended:
        await revoke(session, clock, kind="jti", value=grant_id, reason=reason)
    await revoke(session, clock, kind="sub", value=person_id, reason=reason)


async def end_client_tokens(
    session: AsyncSession, clock: Clock, *, person_id: UUID, client_id: UUID, reason: str
) -> None:
    """A client's families of one person, and all they gave: consent was withdrawn."""
    ended = await store.revoke_pair(session, person_id, client_id, reason, clock.now())
    for grant_id in ended:
        await revoke(session, clock, kind="jti", value=grant_id, reason=reason)


async def end_application_tokens(
    session: AsyncSession, clock: Clock, *, client_id: UUID, reason: str
) -> None:
    """Everything a client holds, of whomever; its tokens show its id, whoever they are about."""
    await store.revoke_of(session, "client_id", client_id, reason, clock.now())
    await revoke(session, clock, kind="cli", value=client_id, reason=reason)


async def claim_listeners(session: AsyncSession, clock: Clock, *, rows: int) -> list[Any]:
    """Who is due to hear of an end; each is due again after RETRY unless `told`, TRIES times."""
    now = clock.now()
    due = await store.due_listeners(session, now, rows)
    for row in due:
        if row.tries + 1 >= TRIES:
            await store.told(session, row.session_id, row.client_id)
        else:
            await store.tell_again(session, row.session_id, row.client_id, now + RETRY)
    return due


async def told(session: AsyncSession, *, session_id: UUID, client_id: UUID) -> None:
    await store.told(session, session_id, client_id)


async def sweep_listeners(session: AsyncSession, clock: Clock) -> None:
    """Forgets those of sessions that ended without a word, by their age."""
    await store.forget_listeners(session, clock.now() - KEPT)


async def note_listener(
    session: AsyncSession, *, session_id: UUID, client_id: UUID, subject: str
) -> None:
    """A client that wants to hear of the session's end, under the name it knows the person by."""
    await store.listen(session, session_id, client_id, subject)
