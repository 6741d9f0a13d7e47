"""HTTP of requests: `/v1/requests`, for who filed one and for the agencies that handle it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent, KeyReused
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_services_catalog.calendar.actions import calendars
from sebalai_services_catalog.cursors import id_of
from sebalai_services_catalog.deltas import Delta, Since, SyncTokenStale
from sebalai_services_catalog.now import Now
from sebalai_services_catalog.requests import actions, filing, store
from sebalai_services_catalog.requests.actions import AppealTooLate, RequestFilter, WorkLeft
from sebalai_services_catalog.requests.beginning import (
    AssistanceRefused,
    MandateTooNarrow,
    ServiceNotOffered,
)
from sebalai_services_catalog.requests.beginning import begin_request as begin
from sebalai_services_catalog.requests.filing import (
    DOCUMENT_BYTES_LIMIT,
    AnswersLocked,
    DocumentRefused,
    DocumentTooLarge,
    RequestIncomplete,
    Upload,
)
from sebalai_services_catalog.requests.machine import State
from sebalai_services_catalog.requests.readings import act_read, brief_read, request_read
from sebalai_services_catalog.requests.schema import (
    ActWrite,
    AnswersWrite,
    Code,
    DueChangeRead,
    HistoryRead,
    RequestBrief,
    RequestCreate,
    RequestRead,
    Sha256,
    Slug,
)
from sebalai_services_catalog.requests.steps import (
    Hand,
    RequestMovedOn,
    RequestUnknown,
    StepImpossible,
    StepRefused,
    take_in_hand,
)
from sebalai_services_catalog.requests.tasks import TaskTaken, TaskUnknown
from sebalai_services_catalog.services.actions import ServiceUnknown
from sebalai_services_catalog.sparse import SPARSE, Private

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=Private)

STREAMED = ("/v1/requests/*/documents/*",)
"""Paths whose bodies are counted here, because they may exceed the common limit."""

Revision = Annotated[int, Query(ge=1, le=2**31 - 1)]
FileName = Annotated[str, Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f/\\]+$")]
Digest = Annotated[Sha256, Path()]


async def _read(session: Transaction, hand: Hand) -> RequestRead:
    tasks = await store.tasks(session, hand.row.id)
    return request_read(hand.row, tasks, hand.known, hand.at)


async def _filter(
    mine: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    state: State | None = None,
    service: Slug | None = None,
) -> RequestFilter:
    return RequestFilter(mine, state, service)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses=responses(
        ServiceUnknown,
        ServiceNotOffered,
        MandateTooNarrow,
        AssistanceRefused,
        RequestIncomplete,
        KeyReused,
    ),
)
async def begin_request(
    wanted: RequestCreate,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    clock: Now,
) -> RequestRead:
    """A draft, or with `submit` a filed request: the same key files it once, however often sent."""

    async def make() -> RequestRead:
        hand, tasks = await begin(session, clock, caller=caller, wanted=wanted)
        return request_read(hand.row, tasks, hand.known, hand.at)

    return await once.answer(session, RequestRead, make)


@router.get("", dependencies=SPARSE, responses=responses(BadCursor, FieldInvalid))
async def list_requests(
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: Annotated[RequestFilter, Depends(_filter)],
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[RequestBrief]:
    rows = await actions.list_requests(
        session, caller=caller, wanted=wanted, after=id_of(cursor), limit=limit
    )
    return page(rows, limit, brief_read, lambda row: [row.id])


@router.get("/changes", dependencies=SPARSE, responses=responses(BadCursor, SyncTokenStale))
async def list_changes(
    caller: IdentifiedAccess, session: Transaction, since: Since = None, limit: Limit = 100
) -> Delta[RequestBrief]:
    """What the caller filed and what of it moved since the last read."""
    found = await actions.changed_requests(session, caller=caller, page=(since, limit))
    items = [brief_read(row[0]) for row in found.rows]
    return Delta(items=items, since=found.since, more=found.more)


@router.get("/{key}", dependencies=SPARSE, responses=responses(RequestUnknown, FieldInvalid))
async def read_request(
    key: UUID, caller: IdentifiedAccess, session: Transaction, clock: Now
) -> RequestRead:
    row, tasks = await actions.find_request(session, caller=caller, key=key)
    return request_read(row, tasks, await calendars(session), clock.now())


@router.get("/{key}/history", responses=responses(RequestUnknown))
async def read_history(key: UUID, caller: IdentifiedAccess, session: Transaction) -> HistoryRead:
    """Every step: who, in which role, when, why; and due dates that a changed calendar moved."""
    await actions.find_request(session, caller=caller, key=key)
    return HistoryRead(
        acts=[act_read(act) for act in await store.acts(session, key)],
        due_changes=[
            DueChangeRead.model_validate(change, from_attributes=True)
            for change in await store.due_changes(session, key)
        ],
    )


@router.put(
    "/{key}/answers",
    responses=responses(RequestUnknown, RequestMovedOn, AnswersLocked, StepRefused, FieldInvalid),
)
async def write_answers(
    key: UUID, wanted: AnswersWrite, caller: IdentifiedAccess, session: Transaction, clock: Now
) -> RequestRead:
    """Saves part of a draft; of a returned request only what the officer marked."""
    hand = await take_in_hand(session, clock, caller=caller, key=key, revision=wanted.revision)
    await filing.write_answers(session, hand, wanted.answers)
    return await _read(session, hand)


async def _body(request: Request) -> bytes:
    """Raises: DocumentTooLarge, before more than the limit is held."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > DOCUMENT_BYTES_LIMIT:
            raise DocumentTooLarge(f"At most {DOCUMENT_BYTES_LIMIT} bytes are taken.")
        parts.append(part)
    return b"".join(parts)


async def _upload(code: Code, name: FileName, request: Request) -> Upload:
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return Upload(code, name, media_type, await _body(request))


@router.put(
    "/{key}/documents/{code}",
    responses=responses(
        RequestUnknown, RequestMovedOn, StepRefused, DocumentRefused, DocumentTooLarge
    ),
)
async def attach_document(
    key: UUID,
    revision: Revision,
    upload: Annotated[Upload, Depends(_upload)],
    caller: IdentifiedAccess,
    session: Transaction,
    clock: Now,
) -> RequestRead:
    """The body is the document itself (PDF, JPEG, PNG)."""
    hand = await take_in_hand(session, clock, caller=caller, key=key, revision=revision)
    await filing.attach_document(session, hand, upload)
    return await _read(session, hand)


@router.get(
    "/{key}/documents/{code}/{sha256}",
    response_class=Response,
    responses=responses(RequestUnknown, FieldInvalid),
)
async def read_document(
    key: UUID, code: Code, sha256: Digest, caller: IdentifiedAccess, session: Transaction
) -> Response:
    row, _ = await actions.find_request(session, caller=caller, key=key)
    found = await filing.read_document(session, row=row, code=code, sha256=sha256)
    headers = {
        "Content-Disposition": "attachment",
        "X-Content-Type-Options": "nosniff",
        "ETag": f'"{sha256}"',
    }
    return Response(found.content, media_type=found.media_type, headers=headers)


@router.post(
    "/{key}/acts",
    responses=responses(
        RequestUnknown, RequestMovedOn, StepImpossible, StepRefused, TaskTaken, TaskUnknown,
        WorkLeft, AppealTooLate, RequestIncomplete, FieldInvalid, KeyReused,
    ),
)  # fmt: skip
async def act_on(
    key: UUID,
    wanted: ActWrite,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    clock: Now,
) -> RequestRead:
    """One step of the file. 409 tells by whom and when it moved on, and what is possible now."""

    async def make() -> RequestRead:
        hand = await actions.act_on(session, clock, caller=caller, key=key, wanted=wanted)
        return await _read(session, hand)

    return await once.answer(session, RequestRead, make)
