"""What the pages of sign-in decide: whose turn it is, what is still asked, and what a proof opens.

Owns the way through; proofs are `credentials`', sessions `sessions`', the client's request
`interactions`'.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sebalai_shared.caller import ANONYMOUS
from sebalai_shared.clock import Clock
from sebalai_shared.problems import Forbidden
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.assurance import level_of
from sebalai_identity.credentials import actions as credentials
from sebalai_identity.credentials.actions import Keeper
from sebalai_identity.desk import Desk
from sebalai_identity.interactions.actions import Interaction, get_interaction
from sebalai_identity.outside_providers import actions as outside
from sebalai_identity.persons.actions import hold_person
from sebalai_identity.sessions import actions as sessions
from sebalai_identity.sessions.actions import Device, Session
from sebalai_identity.web.visit import Visit


class AccountClosed(Forbidden):
    slug, title = "account-closed", "This account is not active"


@dataclass(frozen=True)
class Situation:
    """What a page knows before anything is proven."""

    interaction: Interaction | None
    session: Session | None

    @property
    def wanted_level(self) -> int:
        """The least level that answers what the client asked for; 0: any will do."""
        if self.interaction is None:
            return 0
        known = [level_of(acr) for acr in self.interaction.acr_values]
        return min((level for level in known if level), default=0)

    @property
    def is_raising(self) -> bool:
        """Somebody is signed in, and the client wants it anew or more surely."""
        return self.interaction is not None and self.session is not None


async def situation(
    session: AsyncSession, keeper: Keeper, *, visit: Visit, interaction_id: str | None
) -> Situation:
    """Raises `InteractionUnknown`."""
    interaction = None
    if interaction_id:
        now = keeper.clock.now()
        interaction = await get_interaction(session, interaction_id, at=now)
    signed_in = await sessions.current(session, keeper.clock, cookie=visit.session_cookie)
    return Situation(interaction, signed_in)


async def is_open(session: AsyncSession, keeper: Keeper, *, subject: UUID) -> bool:
    """Whether this person may sign in today."""
    person = await hold_person(session, subject)
    return person is not None and person.is_active(keeper.clock.now())


async def require_open(session: AsyncSession, keeper: Keeper, *, subject: UUID) -> None:
    """Raises `AccountClosed`."""
    if not await is_open(session, keeper, subject=subject):
        raise AccountClosed("Ask the office that knows this person.")


async def open_session(
    session: AsyncSession, keeper: Keeper, *, visit: Visit, subject: UUID, methods: Sequence[str]
) -> Session:
    """Proof was seen: a new session, or the same person's present one raised under a new cookie."""
    present = await sessions.current(session, keeper.clock, cookie=visit.session_cookie)
    opened = None
    if present is not None and present.subject == subject and visit.session_cookie is not None:
        opened = await sessions.raise_session(
            session, keeper.clock, cookie=visit.session_cookie, methods=methods
        )
    if opened is None:
        opened = await sessions.start(
            session,
            keeper.clock,
            subject=subject,
            methods=methods,
            device=Device(visit.device_name, visit.network),
            replaces=visit.session_cookie,
        )
    visit.put(sessions.cookie_name(visit.public_url), opened.cookie)
    visit.renew_browser()
    device = visit.remember_device()
    await credentials.remember_device(session, keeper, subject=subject, device=device)
    return opened.session


async def sign_out(session: AsyncSession, keeper: Keeper, *, visit: Visit) -> None:
    """Ends this browser's session and every token that stems from it; the cookie goes anyway."""
    if visit.session_cookie is not None:
        await sessions.end_by_cookie(session, keeper.clock, cookie=visit.session_cookie)
    visit.put(sessions.cookie_name(visit.public_url), "", 0)
    await leave_no_proof(session, keeper.clock, visit=visit)


async def leave_no_proof(session: AsyncSession, clock: Clock, *, visit: Visit) -> None:
    """What was proven at an outside provider does not wait here for whoever comes next."""
    if visit.outside_cookie is not None:
        await outside.forget(session, Desk(ANONYMOUS, clock), token=visit.outside_cookie)
    visit.forget_outside()


async def end_everything(session: AsyncSession, keeper: Keeper, *, subject: UUID) -> None:
    """Before a new beginning by invitation: whoever had the old credentials is out."""
    clock = keeper.clock
    await sessions.end(session, clock, subject=subject, session_ids=None, reason="administration")
