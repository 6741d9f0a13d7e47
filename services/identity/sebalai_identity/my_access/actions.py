"""What a person sees and ends of their own access: sessions, permissions, ways to sign in."""

from dataclasses import dataclass
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.problems import Forbidden, Unauthenticated
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acting.actions import Represented, represented
from sebalai_identity.applications.actions import names_of
from sebalai_identity.businesses.actions import lay_down
from sebalai_identity.consents import actions as consents
from sebalai_identity.consents.actions import Agreed
from sebalai_identity.credentials import actions as credentials
from sebalai_identity.credentials.actions import AccountRead, Keeper, PasskeyRead
from sebalai_identity.desk import Desk
from sebalai_identity.grants.actions import end_client_tokens
from sebalai_identity.my_access import access
from sebalai_identity.outside_providers import actions as outside
from sebalai_identity.outside_providers.actions import LinkedIdentity, Provider
from sebalai_identity.persons.actions import KnownPerson, get_person
from sebalai_identity.sessions import actions as sessions
from sebalai_identity.sessions.actions import Session
from sebalai_identity.vault import NumberVault


class SignInNeeded(Unauthenticated):
    slug, title = "sign-in-needed", "Sign in first"


class ProveAgain(Forbidden):
    slug, title = "prove-again", "Prove once more that it is you"


@dataclass(frozen=True)
class Permission:
    """One application's standing consent; `name` its identifier, or its id when it is gone."""

    name: str
    agreed: Agreed


@dataclass(frozen=True)
class MyAccess:
    present: Session
    person: KnownPerson | None
    account: AccountRead | None
    sessions: list[Session]
    permissions: list[Permission]
    passkeys: list[PasskeyRead]
    has_one_time: bool
    codes_left: int
    linked: list[LinkedIdentity]
    linkable: list[Provider]
    represented: list[Represented]


async def require_session(session: AsyncSession, keeper: Keeper, cookie: str | None) -> Session:
    """Raises `SignInNeeded`."""
    present = await sessions.current(session, keeper.clock, cookie=cookie)
    if present is None:
        raise SignInNeeded("Open /sign-in.")
    return present


async def require_fresh(session: AsyncSession, keeper: Keeper, cookie: str | None) -> Session:
    """Raises `SignInNeeded`, `ProveAgain`."""
    present = await require_session(session, keeper, cookie)
    has_means = await credentials.has_strong_means(session, subject=present.subject)
    if not access.may_change(present, keeper.clock.now(), has_strong_means=has_means):
        raise ProveAgain("Sign in again, with the strongest means you have.")
    return present


async def show(
    session: AsyncSession, keeper: Keeper, vault: NumberVault | None, present: Session
) -> MyAccess:
    subject, clock = present.subject, keeper.clock
    agreed = await consents.list_consents(session, clock, subject=subject)
    providers = await outside.enabled_providers(session)
    linked = await outside.identities_of(session, providers, person_id=subject)
    issuers = {one.issuer for one in linked}
    names = await names_of(session, client_ids=[one.client_id for one in agreed])
    return MyAccess(
        present=present,
        person=await get_person(session, subject),
        account=await credentials.account_of(session, subject=subject),
        sessions=await sessions.list_sessions(session, clock, subject=subject),
        permissions=[
            Permission(names.get(one.client_id, str(one.client_id)), one) for one in agreed
        ],
        passkeys=await credentials.list_passkeys(session, subject=subject),
        has_one_time=await credentials.has_one_time(session, subject=subject),
        codes_left=await credentials.codes_left(session, subject=subject),
        linked=linked,
        linkable=[one for one in providers if one.issuer not in issuers],
        represented=await represented(session, vault, person_id=subject, at=clock.now()),
    )


async def end_session(
    session: AsyncSession, keeper: Keeper, *, subject: UUID, session_id: UUID
) -> None:
    """One of the person's own sessions with its tokens; of anybody else's nothing happens."""
    await sessions.end(
        session, keeper.clock, subject=subject, session_ids=[session_id], reason="signed-out"
    )


async def end_others(session: AsyncSession, keeper: Keeper, *, present: Session) -> None:
    """All of the person's sessions but this one."""
    await sessions.end_others(
        session, keeper.clock, subject=present.subject, kept=present.id, reason="signed-out"
    )


async def end_everything(session: AsyncSession, keeper: Keeper, *, subject: UUID) -> None:
    """Every session of the person with its tokens, this browser's too."""
    await sessions.end(
        session, keeper.clock, subject=subject, session_ids=None, reason="everywhere"
    )


async def withdraw(
    session: AsyncSession, keeper: Keeper, *, subject: UUID, client_id: UUID
) -> None:
    """Takes consent back, and with it the application's refresh tokens and all they gave. An access
    token that came without one ends by itself, 300 s after it was given at the latest.
    """
    clock = keeper.clock
    if await consents.withdraw(session, clock, subject=subject, client_id=client_id):
        await end_client_tokens(
            session, clock, person_id=subject, client_id=client_id, reason="consent withdrawn"
        )


async def end_representation(
    session: AsyncSession, keeper: Keeper, *, subject: UUID, representation_id: UUID
) -> None:
    """The person represents the business no longer, from now on. Raises `RepresentationUnknown`."""
    desk = Desk(Caller(kind="citizen", subject=str(subject)), keeper.clock)
    reason = "laid down by the representative"
    await lay_down(session, desk, representation_id=representation_id, reason=reason)
