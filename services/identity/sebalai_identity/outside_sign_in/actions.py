"""What the way back from an outside provider opens: a session, or the page where it is linked.

Owns the way through. Whose an identity is, is `outside_providers`'; sessions are `sessions`'.
"""

from dataclasses import dataclass
from uuid import UUID

from sebalai_shared.caller import ANONYMOUS, Caller
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.assurance import outside_methods
from sebalai_identity.credentials import actions as credentials
from sebalai_identity.credentials.actions import Keeper
from sebalai_identity.desk import Desk
from sebalai_identity.interactions.actions import Interaction
from sebalai_identity.my_access.actions import ProveAgain, SignInNeeded, require_fresh
from sebalai_identity.outside_providers import actions as outside
from sebalai_identity.outside_providers.actions import (
    Attempt,
    AttemptUnknown,
    IdentityOfAnother,
    Proof,
    Proven,
    Provider,
)
from sebalai_identity.sessions import actions as sessions
from sebalai_identity.sessions.actions import Session
from sebalai_identity.sign_in import actions as sign_in
from sebalai_identity.sign_in.actions import Situation
from sebalai_identity.vault import NumberVault
from sebalai_identity.web.visit import Visit

__all__ = ["ProveAgain", "SignInNeeded", "require_fresh"]

MAX_AGE_SECONDS = 3_600
"""How long ago the person may have proven themself at the provider."""
PERSON = "citizen"


@dataclass(frozen=True)
class Site:
    """One request: the browser, and what decisions here stand on."""

    visit: Visit
    keeper: Keeper
    vault: NumberVault | None

    def desk(self, person_id: UUID | None = None) -> Desk:
        caller = ANONYMOUS if person_id is None else Caller(kind=PERSON, subject=str(person_id))
        return Desk(caller, self.keeper.clock, self.vault)


def max_age_of(found: Situation) -> int:
    """Seconds; 0 where somebody must prove themself anew."""
    interaction: Interaction | None = found.interaction
    if found.session is not None or (interaction is not None and "login" in interaction.prompt):
        return 0
    asked = interaction.max_age if interaction is not None else None
    return MAX_AGE_SECONDS if asked is None else min(asked, MAX_AGE_SECONDS)


async def arrive(
    session: AsyncSession, site: Site, *, provider: Provider, attempt: Attempt, proven: Proven
) -> bool:
    """False: the identity waits to be linked.

    Raises `AccountClosed`, `AttemptUnknown`, `IdentityOfAnother`.
    """
    person_id = await outside.person_of(session, site.desk(), provider=provider, proven=proven)
    if attempt.person_id is not None:
        await _require_same(session, site, attempt.person_id)
        if person_id not in (None, attempt.person_id):
            raise IdentityOfAnother("It was linked by another person.")
    if person_id is None:
        await _remember(session, site, provider, attempt, proven)
        return False
    if attempt.person_id is None:
        await _open(session, site, provider, proven, person_id)
    return True


async def _require_same(session: AsyncSession, site: Site, person_id: UUID) -> None:
    """Who began to link must still be who is signed in. Raises `AttemptUnknown`."""
    clock = site.keeper.clock
    present = await sessions.current(session, clock, cookie=site.visit.session_cookie)
    if present is None or present.subject != person_id:
        raise AttemptUnknown("Somebody else is signed in by now.")


async def _remember(
    session: AsyncSession, site: Site, provider: Provider, attempt: Attempt, proven: Proven
) -> None:
    token = await outside.remember(
        session, site.desk(), provider=provider, proven=proven, person_id=attempt.person_id
    )
    site.visit.remember_outside(token)


async def _open(
    session: AsyncSession, site: Site, provider: Provider, proven: Proven, person_id: UUID
) -> None:
    """Worth what the provider says, since when the provider says."""
    await sign_in.require_open(session, site.keeper, subject=person_id)
    opened: Session = await sign_in.open_session(
        session,
        site.keeper,
        visit=site.visit,
        subject=person_id,
        methods=outside_methods(provider.slug, proven.level),
    )
    await sessions.date_back(session, session_id=opened.id, to=proven.auth_time)
    await outside.note_sign_in(session, site.desk(person_id), person_id=person_id)


@dataclass(frozen=True)
class Again:
    """Who goes once more to which provider, this time as who is signed in."""

    provider: Provider
    person_id: UUID


async def link(session: AsyncSession, site: Site) -> Again | None:
    """To who is signed in freshly, by the strongest means they have; `Again` where nothing tells
    yet that it was they who proved it: then that proof is used up.

    Raises `SignInNeeded`, `ProveAgain`, `ProofGone`, `IdentityOfAnother`, `ProviderLinked`,
    `ProviderUnknown`.
    """
    present = await require_fresh(session, site.keeper, site.visit.session_cookie)
    desk, token = site.desk(present.subject), site.visit.outside_cookie
    proof = await outside.waiting(session, desk, token=token)
    if proof is not None and await outside.must_prove_again(
        session, desk, proof=proof, person_id=present.subject
    ):
        await outside.forget(session, desk, token=token)
        return Again(await outside.provider_of(session, proof=proof), present.subject)
    await outside.link(session, desk, token=token, person_id=present.subject)
    return None


async def account_for(session: AsyncSession, site: Site, proof: Proof) -> tuple[str | None, bool]:
    """The account of who is signed in, and whether they must prove the identity once more.

    Raises `ProveAgain`.
    """
    cookie = site.visit.session_cookie
    if await sessions.current(session, site.keeper.clock, cookie=cookie) is None:
        return None, False
    me = (await require_fresh(session, site.keeper, cookie)).subject
    is_again = await outside.must_prove_again(session, site.desk(me), proof=proof, person_id=me)
    return await name_of(session, me), is_again


async def name_of(session: AsyncSession, person_id: UUID) -> str:
    """What the person knows their account by."""
    account = await credentials.account_of(session, subject=person_id)
    return account.login if account is not None else str(person_id)
