"""HTTP of standings: `/v1/standings/{subject}`; the operator keeps them."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction, row_dict
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_archive.standing import actions
from sebalai_archive.standing.actions import OperatorOnly, StandingUnknown
from sebalai_archive.standing.schema import StandingRead, StandingSet

router = APIRouter(prefix="/v1/standings", tags=["standings"])

SubjectPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9/._:-]{1,200}$")]


@router.put("/{subject:path}", responses=responses(OperatorOnly, FieldInvalid))
async def set_standing(
    request: Request,
    subject: SubjectPath,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: StandingSet,
) -> StandingRead:
    clock = request.app.state.clock
    kept = await actions.set_standing(session, clock, caller=caller, subject=subject, wanted=wanted)
    return StandingRead.model_validate(row_dict(kept))


@router.get("/{subject:path}", responses=responses(StandingUnknown))
async def read_standing(
    subject: SubjectPath, caller: IdentifiedAccess, session: Transaction
) -> StandingRead:
    found = await actions.find_standing(session, caller=caller, subject=subject)
    return StandingRead.model_validate(row_dict(found))
