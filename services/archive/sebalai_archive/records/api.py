"""HTTP of records: `/v1/records`. Their content is in `content_api`."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request, Response
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent, KeyReused
from sebalai_shared.pagination import BadCursor, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_archive.paging import AfterId, PageAsk
from sebalai_archive.records import actions
from sebalai_archive.records.actions import (
    ContentMissing,
    MayNotWrite,
    RecordDeclared,
    RecordUnknown,
)
from sebalai_archive.records.model import Record, State
from sebalai_archive.records.reading import record_read
from sebalai_archive.records.schema import RecordCreate, RecordDeclare, RecordRead
from sebalai_archive.retention.actions import civil_date

router = APIRouter(prefix="/v1/records", tags=["records"])


def _read(request: Request, record: Record, same_as: Sequence[UUID] = ()) -> RecordRead:
    today = civil_date(request.app.state.clock.now())
    return record_read(record, request.app.state.settings.public_url, today, same_as)


@router.post("", status_code=201, responses=responses(MayNotWrite, FieldInvalid, KeyReused))
async def draft_record(
    request: Request,
    response: Response,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: RecordCreate,
) -> RecordRead:
    async def make() -> RecordRead:
        clock = request.app.state.clock
        made = await actions.draft_record(session, clock, caller=caller, wanted=wanted)
        return _read(request, made)

    answer = await once.answer(session, RecordRead, make)
    response.headers["Location"] = f"/v1/records/{answer.id}"
    return answer


@router.get("", responses=responses(BadCursor))
async def list_records(
    request: Request,
    caller: PublicAccess,
    session: Transaction,
    after: AfterId,
    state: Annotated[State | None, Query()] = None,
    limit: Limit = 20,
) -> Page[RecordRead]:
    ask = PageAsk(after, limit)
    clock = request.app.state.clock
    rows = await actions.list_records(session, clock, caller=caller, state=state, page=ask)
    return page(rows, limit, lambda row: _read(request, row), lambda row: [row.id])


@router.get("/{record_id}", responses=responses(RecordUnknown))
async def read_record(
    request: Request, record_id: UUID, caller: PublicAccess, session: Transaction
) -> RecordRead:
    clock = request.app.state.clock
    record = await actions.find_record(session, clock, caller=caller, record_id=record_id)
    same = await actions.same_content(session, clock, caller=caller, record=record)
    return _read(request, record, same)


@router.post(
    "/{record_id}/declaration",
    responses=responses(RecordUnknown, MayNotWrite, ContentMissing, RecordDeclared, FieldInvalid),
)
async def declare_record(
    request: Request,
    record_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: Annotated[RecordDeclare | None, Body()] = None,
) -> RecordRead:
    declared = await actions.declare_record(
        session,
        request.app.state.clock,
        caller=caller,
        record_id=record_id,
        wanted=wanted or RecordDeclare(),
    )
    return _read(request, declared)
