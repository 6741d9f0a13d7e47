"""What other slices and the worker may use of the provider: ending what a person or session holds,
and the tables whose past is emptied.
"""

from uuid import UUID

from sebalai_shared.clock import Clock
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.oauth import family_store
from sebalai_identity.oauth.model import CODES, FAMILIES, PROOFS, PUSHED
from sebalai_identity.revocations.actions import revoke

__all__ = ["CODES", "FAMILIES", "PROOFS", "PUSHED"]


async def end_session_tokens(
    session: AsyncSession, clock: Clock, *, session_id: UUID, reason: str
) -> None:
    """Every refresh family and access token of a session that ended."""
    await family_store.revoke_of(session, "session_id", session_id, reason, clock.now())
    await revoke(session, clock, kind="sid", value=session_id, reason=reason)


async def end_person_tokens(
    session: AsyncSession, clock: Clock, *, person_id: UUID, reason: str
) -> None:
    """Every refresh family and access token of a person, pairwise ones too."""
    ended = await family_store.revoke_of(session, "subject", person_id, reason, clock.now())
    for grant_id in ended:
        await revoke(session, clock, kind="jti", value=grant_id, reason=reason)
    await revoke(session, clock, kind="sub", value=person_id, reason=reason)


async def end_client_tokens(
    session: AsyncSession, clock: Clock, *, person_id: UUID, client_id: UUID, reason: str
) -> None:
    """What one client holds of one person: consent was withdrawn."""
    ended = await family_store.revoke_pair(session, person_id, client_id, reason, clock.now())
    for grant_id in ended:
        await revoke(session, clock, kind="jti", value=grant_id, reason=reason)
