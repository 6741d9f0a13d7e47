"""Who may invite a person to make a first, or a new, way to sign in."""

from urllib.parse import urlencode
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.problems import FieldInvalid, Forbidden
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acts.actions import tell
from sebalai_identity.agencies.actions import require_in_force
from sebalai_identity.credentials import events
from sebalai_identity.credentials.invitations import Invited, Terms, invite
from sebalai_identity.credentials.keeper import Keeper
from sebalai_identity.desk import Desk
from sebalai_identity.persons.actions import PersonUnknown, get_person

PEOPLE = "identity.people"
PAGE = "/sign-in/invitation"


class InviteKeepersOnly(Forbidden):
    slug, title = "people-only", "Only the keepers of people may do this"


async def issue(
    session: AsyncSession,
    keeper: Keeper,
    *,
    caller: Caller,
    person_id: UUID,
    terms: Terms,
) -> Invited:
    """Raises `InviteKeepersOnly`, `PersonUnknown`, `AgencyUnknown`, `FieldInvalid`: a sponsor is
    not in force, or the person is not active, or they are the one who asks.
    """
    if not caller.has_scope(PEOPLE):
        raise InviteKeepersOnly("It needs scope identity.people.")
    if caller.subject == str(person_id):
        # Otherwise a keeper's stolen session would grow into a password of its own.
        raise FieldInvalid("/person_id", "Nobody invites themself; ask another keeper.")
    person, now = await get_person(session, person_id), keeper.clock.now()
    if person is None:
        raise PersonUnknown("Register the person first.")
    if not person.is_active(now):
        raise FieldInvalid("/person_id", "The person is not active.")
    if terms.sponsor is not None:
        await require_in_force(session, slug=terms.sponsor, on=now.date())
    desk = Desk(caller, keeper.clock)
    made = await invite(session, keeper, subject=person_id, issued_by=desk.actor, terms=terms)
    data = events.invited(person_id, terms.sponsor, made.expires_at, forgets_factors=terms.forgets)
    await tell(session, desk, kind=events.INVITED, subject=str(person_id), data=data)
    return made


def address_of(public_url: str, code: str) -> str:
    return f"{public_url.rstrip('/')}{PAGE}?{urlencode({'code': code})}"
