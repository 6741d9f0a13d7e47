"""HTTP of fixity: `/v1/fixity`."""

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import responses

from sebalai_archive.fixity import actions
from sebalai_archive.fixity.actions import FiguresClosed

router = APIRouter(prefix="/v1/fixity", tags=["fixity"])


class FixityRead(BaseModel):
    contents: int
    never: int
    lost: int
    unreplicated: int
    unsealed: int
    oldest_seconds: float


@router.get("", responses=responses(FiguresClosed))
async def read_figures(
    request: Request, caller: IdentifiedAccess, session: Transaction
) -> FixityRead:
    """How many contents there are, how many were never verified, and the longest unverified."""
    now = request.app.state.clock.now()
    figures = await actions.read_figures(session, caller=caller, now=now)
    return FixityRead.model_validate(figures, from_attributes=True)
