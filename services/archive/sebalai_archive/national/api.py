"""HTTP of the exchange with the national application: `/v1/national-sync`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, Limit, Page, page
from sebalai_shared.problems import responses

from sebalai_archive.national import actions
from sebalai_archive.national.actions import SyncClosed, SyncItemSettled, SyncItemUnknown
from sebalai_archive.national.model import NationalItem, State
from sebalai_archive.national.schema import SyncItemRead, SyncRead
from sebalai_archive.paging import AfterId, PageAsk
from sebalai_archive.records.actions import MayNotWrite

router = APIRouter(prefix="/v1/national-sync", tags=["national"])


def _read(item: NationalItem) -> SyncItemRead:
    return SyncItemRead(
        id=item.id,
        direction=item.direction,
        agency=item.agency,
        letter=item.outgoing_id or item.incoming_id,
        national_id=item.national_id,
        state=item.state,
        attempts=item.attempts,
        next_at=item.next_at if item.state == "waiting" else None,
        problem=item.problem,
        changed_at=item.changed_at,
    )


@router.get("", responses=responses(SyncClosed))
async def read_state(request: Request, caller: IdentifiedAccess, session: Transaction) -> SyncRead:
    """How the exchange stands: letters by state, the longest waiting, how far the list was read."""
    found, now = await actions.read_figures(session, caller=caller), request.app.state.clock.now()
    return SyncRead(
        states=found.states,
        waiting_seconds=max((now - found.oldest).total_seconds(), 0) if found.oldest else 0,
        last_done=found.last_done,
        list_read_to=found.after,
        list_read_at=found.read_at,
    )


@router.get("/items", responses=responses(BadCursor, MayNotWrite))
async def list_items(
    caller: IdentifiedAccess,
    session: Transaction,
    after: AfterId,
    state: Annotated[State | None, Query()] = None,
    limit: Limit = 20,
) -> Page[SyncItemRead]:
    """The agency's own letters; the operator's are all."""
    ask = PageAsk(after, limit)
    rows = await actions.list_items(session, caller=caller, state=state, page=ask)
    return page(rows, limit, _read, lambda row: [row.id])


@router.post(
    "/items/{item_id}/repetition",
    responses=responses(MayNotWrite, SyncItemUnknown, SyncItemSettled),
)
async def repeat(
    request: Request, item_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> SyncItemRead:
    """Tries the letter at the next pass, also one that was refused or differs."""
    clock = request.app.state.clock
    return _read(await actions.repeat(session, clock, caller=caller, item_id=item_id))
