"""What ends together: a position with its postings, an agency with its positions, a civil
servant's service with their postings.

Owns the order of it. Agencies, positions and postings own their rows and their own facts.
"""

from datetime import date, datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.problems import FieldInvalid, Forbidden
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acts.actions import tell
from sebalai_identity.agencies import actions as agencies
from sebalai_identity.agencies import events
from sebalai_identity.civil_servants import actions as civil_servants
from sebalai_identity.civil_servants.actions import CivilServantRead
from sebalai_identity.desk import Desk
from sebalai_identity.persons.actions import require_keeper
from sebalai_identity.positions import actions as positions
from sebalai_identity.postings.actions import end_postings_of_position, end_postings_of_servant
from sebalai_identity.reorganisations.schema import (
    AgencyEnd,
    AgencyRename,
    AgencyReorganised,
    PositionAbolished,
)
from sebalai_identity.wording import WIB, Ending, midnight


class ReorganisersOnly(Forbidden):
    slug, title = "reorganisers-only", "Only the operator who keeps people may do this"


def _require_reorganiser(caller: Caller) -> None:
    """A Perda reorganises (UU 23/2014 pasal 212); the operator records it."""
    if not caller.is_operator:
        raise ReorganisersOnly("It needs scope platform.operate.")


async def abolish_position(
    session: AsyncSession, desk: Desk, *, position_id: UUID, ending: Ending
) -> PositionAbolished:
    """With every posting in it. Raises `PeopleOnly`, `PositionUnknown`, `FieldInvalid`."""
    require_keeper(desk.caller)
    row = await positions.abolish(session, desk, position_id=position_id, ending=ending)
    ended = await end_postings_of_position(session, desk, position_id=position_id, ending=ending)
    return PositionAbolished(id=row.id, valid_until=row.valid_until, postings_ended=ended)


async def discharge(
    session: AsyncSession, desk: Desk, *, person_id: UUID, ending: Ending
) -> CivilServantRead:
    """With every posting they hold. Raises `PeopleOnly`, `CivilServantUnknown`, `FieldInvalid`."""
    row = await civil_servants.discharge(session, desk, person_id=person_id, ending=ending)
    await end_postings_of_servant(session, desk, person_id=person_id, ending=ending)
    return civil_servants.read_civil_servant(desk, row)


async def rename_agency(
    session: AsyncSession, desk: Desk, *, slug: str, wanted: AgencyRename
) -> AgencyReorganised:
    """Raises `ReorganisersOnly`, `AgencyUnknown`, `FieldInvalid`."""
    _require_reorganiser(desk.caller)
    if wanted.on > _today(desk):
        raise FieldInvalid("/on", "Rename it when the day has come.")
    agency = await agencies.rename(session, slug=slug, **wanted.model_dump())
    data: dict[str, object] = {"agency": slug, "on": wanted.on.isoformat(), "decree": wanted.decree}
    await tell(session, desk, kind=events.RENAMED, subject=slug, data=data)
    return _read(agency.slug, agency.name, agency.short_name, agency.valid_to)


def _today(desk: Desk) -> date:
    return desk.now.astimezone(WIB).date()


def _read(
    slug: str, name: str, short_name: str, valid_to: date | None, ended: tuple[int, int] = (0, 0)
) -> AgencyReorganised:
    return AgencyReorganised(
        slug=slug,
        name=name,
        short_name=short_name,
        valid_to=valid_to,
        positions_ended=ended[0],
        postings_ended=ended[1],
    )


async def end_agency(
    session: AsyncSession, desk: Desk, *, slug: str, wanted: AgencyEnd
) -> AgencyReorganised:
    """With its positions and postings, at the midnight that begins `on`, or now if that is past.

    Raises `ReorganisersOnly`, `AgencyUnknown`, `AgencyEnded`, `SuccessorUnfit`, `FieldInvalid`,
    `TooManyPositions`.
    """
    _require_reorganiser(desk.caller)
    if wanted.on < _today(desk):
        raise FieldInvalid("/on", "What was true stays so; name today or a later day.")
    agency = await agencies.end(session, slug=slug, on=wanted.on, successor=wanted.successor)
    ended = await _end_positions(session, desk, slug, midnight(wanted.on), wanted.reason)
    data: dict[str, object] = {
        "agency": slug,
        "successor": wanted.successor,
        "on": wanted.on.isoformat(),
        "decree": wanted.decree,
    }
    await tell(session, desk, kind=events.ENDED, subject=slug, data=data)
    return _read(agency.slug, agency.name, agency.short_name, agency.valid_to, ended)


async def _end_positions(
    session: AsyncSession, desk: Desk, slug: str, at: datetime, reason: str
) -> tuple[int, int]:
    ending = Ending(reason=reason, at=max(at, desk.now))
    going = await positions.positions_going_on(session, slug, max(at, desk.now))
    postings = 0
    for position_id in going:
        done = await abolish_position(session, desk, position_id=position_id, ending=ending)
        postings += done.postings_ended
    return len(going), postings
