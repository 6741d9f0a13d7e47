"""HTTP of requests for a client: `/v1/client-requests`."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.pagination import CursorText, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_identity.agencies.actions import AgencyUnknown
from sebalai_identity.applications.actions import ApplicationRegister, KeyEnded, KeysFull, NameTaken
from sebalai_identity.client_requests import actions
from sebalai_identity.client_requests.actions import (
    ApproversOnly,
    ClientRequestDecided,
    ClientRequestUnknown,
    ClientRequestWaits,
    OwnAgencyOnly,
    OwnRequest,
)
from sebalai_identity.client_requests.model import ClientRequest
from sebalai_identity.client_requests.schema import ClientDecide, ClientRequestRead
from sebalai_identity.desk import AtDesk
from sebalai_identity.names import cursor_id

router = APIRouter(prefix="/v1/client-requests", tags=["client-requests"])

State = Literal["requested", "approved", "refused", "withdrawn"]


def _read(row: ClientRequest) -> ClientRequestRead:
    return ClientRequestRead.model_validate(row, from_attributes=True)


@router.post(
    "", status_code=201, responses=responses(OwnAgencyOnly, AgencyUnknown, ClientRequestWaits)
)
async def ask_client(
    desk: AtDesk, session: Transaction, once: Idempotent, wanted: ApplicationRegister
) -> ClientRequestRead:
    """Of one's own agency; it waits for somebody else's approval."""

    async def make() -> ClientRequestRead:
        return _read(await actions.ask_client(session, desk, wanted=wanted))

    return await once.answer(session, ClientRequestRead, make)


@router.get("")
async def list_requests(
    caller: IdentifiedAccess,
    session: Transaction,
    response: Response,
    state: State | None = None,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[ClientRequestRead]:
    response.headers["Cache-Control"] = "no-store"
    rows = await actions.list_requests(
        session, caller=caller, state=state, after=cursor_id(cursor), limit=limit
    )
    return page(rows, limit, _read, lambda row: [row.id])


@router.post(
    "/{request_id}/decide",
    responses=responses(
        ApproversOnly,
        OwnRequest,
        ClientRequestUnknown,
        AgencyUnknown,
        ClientRequestDecided,
        KeysFull,
        KeyEnded,
        NameTaken,
        FieldInvalid,
    ),
)
async def decide_client(
    request: Request, request_id: UUID, desk: AtDesk, session: Transaction, wanted: ClientDecide
) -> ClientRequestRead:
    """By another than who asked; approval registers the application. What widens a client that
    registered itself is approved by two: after the first it is still `requested`.
    """
    row = await actions.decide_client(
        session,
        desk,
        instance=request.app.state.settings.instance,
        request_id=request_id,
        is_approved=wanted.decision == "approve",
        reason=wanted.reason,
    )
    return _read(row)
