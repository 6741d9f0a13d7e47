"""HTTP of tickets: status by number without login, the receipt with QR code; officers' tasks."""

from io import BytesIO
from typing import Annotated
from uuid import UUID

import segno
from fastapi import APIRouter, Path, Query, Request, Response
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, page
from sebalai_shared.problems import responses

from sebalai_services_catalog.calendar.actions import calendars
from sebalai_services_catalog.cursors import id_of
from sebalai_services_catalog.now import Now
from sebalai_services_catalog.requests import actions, store, tasks
from sebalai_services_catalog.requests.access import DECIDE, WRITE
from sebalai_services_catalog.requests.actions import TicketUnknown
from sebalai_services_catalog.requests.readings import (
    clock_read,
    queued_read,
    ticket_read,
)
from sebalai_services_catalog.requests.schema import QueuedTaskRead, ReceiptRead, TicketRead
from sebalai_services_catalog.requests.steps import RequestUnknown
from sebalai_services_catalog.requests.tasks import TaskRefused, TaskTaken, TaskUnknown
from sebalai_services_catalog.services.actions import find_version

router = APIRouter(prefix="/v1/tickets", tags=["tickets"])
receipts = APIRouter(prefix="/v1/requests", tags=["requests"])
queue = APIRouter(prefix="/v1/tasks", tags=["tasks"])

QR_SCALE = 4

Mine = Annotated[bool, Query(description="only what the caller has claimed")]
Ticket = Annotated[str, Path(min_length=1, max_length=40, pattern=r"^[^\x00]*$")]


async def _name(session: Transaction, service: str, version: int) -> str:
    _, found = await find_version(session, slug=service, version=version)
    return found.name_id


@router.get("/{ticket}", responses=responses(TicketUnknown))
async def read_ticket(
    ticket: Ticket,
    caller: PublicAccess,  # noqa: ARG001 - public: the number is the key
    session: Transaction,
    clock: Now,
) -> TicketRead:
    """Where the file is, who holds it and until when, for anybody with the number."""
    row = await actions.find_by_ticket(session, ticket=ticket)
    name = await _name(session, row.service, row.service_version)
    return ticket_read(row, name, await calendars(session), clock.now())


def _status_url(request: Request, ticket: str) -> str:
    return f"{request.app.state.settings.public_url}/api/catalog/v1/tickets/{ticket}"


@receipts.get("/{key}/receipt", responses=responses(RequestUnknown))
async def read_receipt(
    key: UUID, request: Request, caller: IdentifiedAccess, session: Transaction, clock: Now
) -> ReceiptRead:
    """Tanda terima of a submitted request."""
    row, _ = await actions.find_request(session, caller=caller, key=key)
    if row.submitted_at is None:
        raise RequestUnknown("A draft has no receipt; submit it first.")
    public_url = request.app.state.settings.public_url
    return ReceiptRead(
        ticket=row.ticket,
        service_name=await _name(session, row.service, row.service_version),
        agency=row.agency,
        received_from=row.assisted_name,
        submitted_at=row.submitted_at,
        clock=clock_read(row, await calendars(session), clock.now()),
        status_url=_status_url(request, row.ticket),
        qr_url=f"{public_url}/api/catalog/v1/requests/{key}/receipt.svg",
    )


@receipts.get(
    "/{key}/receipt.svg",
    response_class=Response,
    responses=responses(RequestUnknown) | {200: {"content": {"image/svg+xml": {}}}},
)
async def read_receipt_qr(
    key: UUID, request: Request, caller: IdentifiedAccess, session: Transaction
) -> Response:
    """The QR code that stands on the receipt: the address of the ticket's status."""
    row, _ = await actions.find_request(session, caller=caller, key=key)
    if row.submitted_at is None:
        raise RequestUnknown("A draft has no receipt; submit it first.")
    image = BytesIO()
    code = segno.make(_status_url(request, row.ticket), error="m", micro=False)
    code.save(image, kind="svg", scale=QR_SCALE)
    return Response(image.getvalue(), media_type="image/svg+xml")


@queue.get("", responses=responses(BadCursor))
async def list_tasks(
    caller: IdentifiedAccess,
    session: Transaction,
    mine: Mine = False,  # noqa: FBT002 - a query parameter
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[QueuedTaskRead]:
    """The team's queue: open and claimed tasks of the caller's agency, the oldest first."""
    agencies = None if caller.is_operator else _agencies(caller)
    claimed_by = caller.subject if mine else None
    rows = await store.queue(session, agencies, claimed_by, (id_of(cursor), limit))
    return page(rows, limit, queued_read, lambda row: [row[0].id])


def _agencies(caller: IdentifiedAccess) -> set[str]:
    is_officer = caller.has_scope(WRITE) or caller.has_scope(DECIDE)
    return {caller.agency} if is_officer and caller.agency else set()


TASK = responses(TaskUnknown, TaskTaken, TaskRefused)


@queue.post("/{key}/claim", responses=TASK)
async def claim_task(
    key: UUID, caller: IdentifiedAccess, session: Transaction, clock: Now
) -> QueuedTaskRead:
    """Takes a task; 409 tells who has it since when."""
    return queued_read(await tasks.claim_task(session, clock, caller=caller, key=key))


@queue.post("/{key}/release", responses=TASK)
async def release_task(key: UUID, caller: IdentifiedAccess, session: Transaction) -> QueuedTaskRead:
    return queued_read(await tasks.release_task(session, caller=caller, key=key))
