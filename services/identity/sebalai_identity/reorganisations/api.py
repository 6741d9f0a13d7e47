"""HTTP of what ends together: agencies renamed, merged and ended; positions abolished; civil
servants discharged.
"""

from uuid import UUID

from fastapi import APIRouter
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_identity.agencies.actions import (
    AgencyEnded,
    AgencyUnknown,
    SuccessorUnfit,
    former_names,
)
from sebalai_identity.civil_servants.actions import CivilServantRead, CivilServantUnknown
from sebalai_identity.desk import AtDesk
from sebalai_identity.keys.actions import NoSealingKey
from sebalai_identity.names import Slug
from sebalai_identity.persons.actions import PeopleOnly
from sebalai_identity.positions.actions import PositionUnknown, TooManyPositions
from sebalai_identity.reorganisations import actions
from sebalai_identity.reorganisations.actions import ReorganisersOnly
from sebalai_identity.reorganisations.schema import (
    AgencyEnd,
    AgencyRename,
    AgencyReorganised,
    FormerName,
    PositionAbolished,
)
from sebalai_identity.wording import Ending

router = APIRouter(prefix="/v1", tags=["reorganisations"])


@router.get("/agencies/{slug}/names", responses=responses(AgencyUnknown))
async def list_former_names(slug: Slug, _: PublicAccess, session: Transaction) -> list[FormerName]:
    """The names it bore before, each with the day it ended."""
    rows = await former_names(session, slug=slug)
    return [FormerName.model_validate(row, from_attributes=True) for row in rows]


@router.post(
    "/agencies/{slug}/rename", responses=responses(ReorganisersOnly, AgencyUnknown, FieldInvalid)
)
async def rename_agency(
    slug: Slug, desk: AtDesk, session: Transaction, wanted: AgencyRename
) -> AgencyReorganised:
    """The slug stays, so that nothing that names the agency breaks."""
    return await actions.rename_agency(session, desk, slug=slug, wanted=wanted)


@router.post(
    "/agencies/{slug}/end",
    responses=responses(
        ReorganisersOnly, AgencyUnknown, AgencyEnded, SuccessorUnfit, TooManyPositions, FieldInvalid
    ),
)
async def end_agency(
    slug: Slug, desk: AtDesk, session: Transaction, wanted: AgencyEnd
) -> AgencyReorganised:
    """With its positions and postings; a merger names the same successor for each."""
    return await actions.end_agency(session, desk, slug=slug, wanted=wanted)


@router.post(
    "/positions/{position_id}/abolish",
    responses=responses(PeopleOnly, PositionUnknown, FieldInvalid),
)
async def abolish_position(
    position_id: UUID, desk: AtDesk, session: Transaction, wanted: Ending
) -> PositionAbolished:
    """With every posting in it."""
    return await actions.abolish_position(session, desk, position_id=position_id, ending=wanted)


@router.post(
    "/civil-servants/{person_id}/discharge",
    responses=responses(PeopleOnly, CivilServantUnknown, FieldInvalid, NoSealingKey),
)
async def discharge(
    person_id: UUID, desk: AtDesk, session: Transaction, wanted: Ending
) -> CivilServantRead:
    """With every posting they hold, but for an elected one."""
    return await actions.discharge(session, desk, person_id=person_id, ending=wanted)
