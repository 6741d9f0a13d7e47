"""HTTP of civil servants: `/v1/civil-servants`. A NIP travels in bodies alone."""

from uuid import UUID

from fastapi import APIRouter, Response
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_identity.agencies.actions import AgencyUnknown
from sebalai_identity.civil_servants import actions
from sebalai_identity.civil_servants.actions import CivilServantKnown, CivilServantUnknown
from sebalai_identity.civil_servants.schema import (
    CivilServantEnlist,
    CivilServantFind,
    CivilServantRead,
)
from sebalai_identity.desk import AtDesk
from sebalai_identity.keys.actions import NoSealingKey
from sebalai_identity.persons.actions import PeopleOnly, PersonUnknown

router = APIRouter(prefix="/v1/civil-servants", tags=["civil-servants"])


@router.post(
    "",
    status_code=201,
    responses=responses(
        PeopleOnly, PersonUnknown, AgencyUnknown, CivilServantKnown, FieldInvalid, NoSealingKey
    ),
)
async def enlist(
    desk: AtDesk, session: Transaction, once: Idempotent, wanted: CivilServantEnlist
) -> CivilServantRead:
    async def make() -> CivilServantRead:
        row = await actions.enlist(session, desk, wanted=wanted)
        return actions.read_civil_servant(desk, row)

    return await once.answer(session, CivilServantRead, make)


@router.post("/find", responses=responses(PeopleOnly, CivilServantUnknown, NoSealingKey))
async def find_civil_servant(
    desk: AtDesk, session: Transaction, response: Response, wanted: CivilServantFind
) -> CivilServantRead:
    """By NIP. A found civil servant is an act in the audit trail."""
    response.headers["Cache-Control"] = "no-store"
    row = await actions.look_up(session, desk, nip=wanted.nip.get_secret_value())
    return actions.read_civil_servant(desk, row)


@router.get("/{person_id}", responses=responses(CivilServantUnknown, NoSealingKey))
async def read_civil_servant(
    person_id: UUID, desk: AtDesk, session: Transaction, response: Response
) -> CivilServantRead:
    response.headers["Cache-Control"] = "no-store"
    row = await actions.show(session, caller=desk.caller, person_id=person_id)
    return actions.read_civil_servant(desk, row)
