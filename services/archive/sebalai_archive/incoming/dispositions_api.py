"""HTTP of dispositions: `/v1/incoming-letters/{id}/dispositions`, `/v1/dispositions`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent, KeyReused
from sebalai_shared.pagination import BadCursor, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_archive.incoming import dispositions
from sebalai_archive.incoming.actions import IncomingUnknown
from sebalai_archive.incoming.dispositions import (
    DispositionElsewhere,
    DispositionUnknown,
    NotTheHolder,
)
from sebalai_archive.incoming.model import Disposition
from sebalai_archive.incoming.schema import (
    DispositionCreate,
    DispositionDone,
    DispositionRead,
    DispositionTree,
)
from sebalai_archive.paging import AfterId, PageAsk

router = APIRouter(prefix="/v1", tags=["dispositions"])

STEP = responses(DispositionUnknown, NotTheHolder, DispositionElsewhere)


def _read(row: Disposition) -> DispositionRead:
    return DispositionRead.model_validate(row, from_attributes=True)


@router.post(
    "/incoming-letters/{letter_id}/dispositions",
    status_code=201,
    responses=responses(
        IncomingUnknown, NotTheHolder, DispositionElsewhere, FieldInvalid, KeyReused
    ),
)
async def send(
    request: Request,
    letter_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: DispositionCreate,
) -> DispositionRead:
    async def make() -> DispositionRead:
        clock = request.app.state.clock
        return _read(
            await dispositions.send(
                session, clock, caller=caller, letter_id=letter_id, wanted=wanted
            )
        )

    return await once.answer(session, DispositionRead, make)


@router.get("/incoming-letters/{letter_id}/dispositions", responses=responses(IncomingUnknown))
async def read_tree(
    request: Request, letter_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> DispositionTree:
    clock = request.app.state.clock
    rows = await dispositions.tree_of(session, clock, caller=caller, letter_id=letter_id)
    return DispositionTree(items=[_read(row) for row in rows])


@router.get("/dispositions", responses=responses(BadCursor))
async def list_dispositions(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    after: AfterId,
    *,
    overdue: Annotated[bool, Query()] = False,
    limit: Limit = 20,
) -> Page[DispositionRead]:
    """Those sent or got; office and head see their agency's, by class. `overdue`: past their
    deadline and open.
    """
    clock, ask = request.app.state.clock, PageAsk(after, limit)
    rows = await dispositions.list_dispositions(
        session, clock, caller=caller, is_overdue=overdue, page=ask
    )
    return page(rows, limit, _read, lambda row: [row.id])


@router.post("/dispositions/{disposition_id}/reading", responses=STEP)
async def read(
    request: Request, disposition_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> DispositionRead:
    clock = request.app.state.clock
    found = await dispositions.move(
        session, clock, caller=caller, disposition_id=disposition_id, to="read"
    )
    return _read(found)


@router.post("/dispositions/{disposition_id}/follow-up", responses=STEP)
async def follow_up(
    request: Request, disposition_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> DispositionRead:
    clock = request.app.state.clock
    found = await dispositions.move(
        session, clock, caller=caller, disposition_id=disposition_id, to="followed_up"
    )
    return _read(found)


@router.post(
    "/dispositions/{disposition_id}/completion",
    responses=responses(DispositionUnknown, NotTheHolder, DispositionElsewhere, FieldInvalid),
)
async def finish(
    request: Request,
    disposition_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: DispositionDone,
) -> DispositionRead:
    clock = request.app.state.clock
    found = await dispositions.finish(
        session, clock, caller=caller, disposition_id=disposition_id, wanted=wanted
    )
    return _read(found)


@router.post("/dispositions/{disposition_id}/recall", responses=STEP)
async def recall(
    request: Request, disposition_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> DispositionRead:
    """By its sender, while nobody has read it."""
    clock = request.app.state.clock
    found = await dispositions.recall(session, clock, caller=caller, disposition_id=disposition_id)
    return _read(found)
