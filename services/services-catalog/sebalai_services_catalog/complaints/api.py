"""HTTP of complaints: `/v1/complaints`; status by number for everybody."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Path, status
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent, KeyReused
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, page
from sebalai_shared.problems import responses

from sebalai_services_catalog.complaints import actions
from sebalai_services_catalog.complaints.actions import (
    ComplaintMovedOn,
    ComplaintStepImpossible,
    ComplaintStepRefused,
    ComplaintUnknown,
)
from sebalai_services_catalog.complaints.machine import PUBLIC, State, possible
from sebalai_services_catalog.complaints.model import Complaint
from sebalai_services_catalog.complaints.schema import (
    ActWrite,
    Code,
    ComplaintActRead,
    ComplaintCreate,
    ComplaintFiled,
    ComplaintRead,
    ComplaintStatus,
)
from sebalai_services_catalog.cursors import id_of
from sebalai_services_catalog.now import Now
from sebalai_services_catalog.requests.actions import RequestUnknown
from sebalai_services_catalog.services.actions import ServiceUnknown

router = APIRouter(prefix="/v1/complaints", tags=["complaints"])

Ticket = Annotated[str, Path(min_length=1, max_length=40, pattern=r"^[^\x00]*$")]
ReplyCode = Annotated[Code | None, Header(alias="Sebalai-Reply-Code")]


def _read(row: Complaint) -> ComplaintRead:
    names = set(ComplaintRead.model_fields) - {"public_state", "possible"}
    fields = {name: getattr(row, name) for name in names}
    return ComplaintRead(**fields, public_state=PUBLIC[row.state], possible=possible(row.state))


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses=responses(ServiceUnknown, RequestUnknown, KeyReused),
)
async def file_complaint(
    wanted: ComplaintCreate,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    clock: Now,
) -> ComplaintFiled:
    """A complaint, question or wish; anonymous ones keep nobody's name."""

    async def make() -> ComplaintFiled:
        row, code = await actions.file_complaint(session, clock, caller=caller, wanted=wanted)
        return ComplaintFiled(**_read(row).model_dump(), reply_code=code)

    return await once.answer(session, ComplaintFiled, make)


@router.get("", responses=responses(BadCursor))
async def list_complaints(
    caller: IdentifiedAccess,
    session: Transaction,
    state: State | None = None,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[ComplaintRead]:
    """The desk's all, an agency's own, a reporter's own; the latest first."""
    rows = await actions.list_complaints(
        session, caller=caller, state=state, after=id_of(cursor), limit=limit
    )
    return page(rows, limit, _read, lambda row: [row.id])


@router.get("/status/{ticket}", responses=responses(ComplaintUnknown))
async def read_status(
    ticket: Ticket,
    caller: PublicAccess,  # noqa: ARG001 - public: the number is the key
    session: Transaction,
) -> ComplaintStatus:
    row = await actions.find_by_ticket(session, ticket=ticket)
    return ComplaintStatus(
        ticket=row.ticket,
        kind=row.kind,
        state=PUBLIC[row.state],
        agency=row.agency,
        title=None if row.secret else row.title,
        answer=None if row.secret else row.answer,
        received_at=row.received_at,
        deadline_at=row.deadline_at,
    )


@router.get("/{key}", responses=responses(ComplaintUnknown))
async def read_complaint(
    key: UUID, caller: PublicAccess, session: Transaction, code: ReplyCode = None
) -> ComplaintRead:
    """For the desk, the agency, and the reporter: by login, or with `Sebalai-Reply-Code`."""
    return _read(await actions.find_complaint(session, caller=caller, key=key, code=code))


@router.get("/{key}/acts", responses=responses(ComplaintUnknown))
async def list_acts(
    key: UUID, caller: PublicAccess, session: Transaction, code: ReplyCode = None
) -> list[ComplaintActRead]:
    """Every step with what was said in it, for whoever may read the complaint."""
    rows = await actions.list_acts(session, caller=caller, key=key, code=code)
    return [ComplaintActRead.model_validate(row) for row in rows]


@router.post(
    "/{key}/acts",
    responses=responses(
        ComplaintUnknown, ComplaintMovedOn, ComplaintStepImpossible, ComplaintStepRefused
    ),
)
async def act_on(
    key: UUID, wanted: ActWrite, caller: PublicAccess, session: Transaction, clock: Now
) -> ComplaintRead:
    """One step on the `revision` read: repeated it does nothing twice. A reporter without login
    brings the reply code.
    """
    return _read(await actions.act_on(session, clock, caller=caller, key=key, wanted=wanted))
