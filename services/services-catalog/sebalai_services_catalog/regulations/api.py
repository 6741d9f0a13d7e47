"""HTTP of the register of regulations: `/v1/regulations`, read by everybody."""

from fastapi import APIRouter
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_services_catalog.conditional import Conditional
from sebalai_services_catalog.cursors import position_of
from sebalai_services_catalog.now import Now
from sebalai_services_catalog.regulations import actions
from sebalai_services_catalog.regulations.actions import RegisterRefused, RegulationUnknown
from sebalai_services_catalog.regulations.schema import (
    RegulationId,
    RegulationRead,
    RegulationWrite,
)

router = APIRouter(prefix="/v1/regulations", tags=["regulations"], route_class=Conditional)


@router.get("", responses=responses(BadCursor))
async def list_regulations(
    caller: PublicAccess, session: Transaction, cursor: CursorText = None, limit: Limit = 20
) -> Page[RegulationRead]:
    after = position_of(cursor)
    rows = await actions.list_regulations(session, caller=caller, after=after, limit=limit)
    return page(rows, limit, RegulationRead.of, lambda row: [row.position])


@router.get("/{key}", responses=responses(RegulationUnknown))
async def read_regulation(
    key: RegulationId,
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
) -> RegulationRead:
    return RegulationRead.of(await actions.find_regulation(session, key=key))


@router.put("/{key}", responses=responses(RegisterRefused, FieldInvalid))
async def keep_regulation(
    key: RegulationId,
    wanted: RegulationWrite,
    caller: IdentifiedAccess,
    session: Transaction,
    clock: Now,
) -> RegulationRead:
    """Enters a regulation, or says that it was amended or revoked."""
    row = await actions.keep_regulation(session, clock, caller=caller, key=key, wanted=wanted)
    return RegulationRead.of(row)
