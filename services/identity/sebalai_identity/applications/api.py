"""HTTP of applications: `/v1/applications`; `/internal/signing-keys` for the gateway."""

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response
from sebalai_shared.caller import GatewayAccess, IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.pagination import CursorText, Limit, Page, decode_cursor, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_identity.agencies.actions import AgencyUnknown
from sebalai_identity.applications import actions
from sebalai_identity.applications.actions import (
    ApplicationEnded,
    ApplicationUnknown,
    Authority,
    KeyEnded,
    KeysFull,
    OperatorOnly,
    TwoMustAgree,
)
from sebalai_identity.applications.model import Application
from sebalai_identity.applications.schema import (
    ApplicationRead,
    ApplicationRegister,
    ApplicationSuspend,
)
from sebalai_identity.desk import AtDesk

router = APIRouter(prefix="/v1/applications", tags=["applications"])
internal = APIRouter(tags=["applications"])


def _read(application: Application) -> ApplicationRead:
    return ApplicationRead.model_validate(application, from_attributes=True)


@router.post(
    "",
    status_code=201,
    responses=responses(
        OperatorOnly, TwoMustAgree, AgencyUnknown, KeysFull, KeyEnded, FieldInvalid
    ),
)
async def register_application(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: ApplicationRegister,
) -> ApplicationRead:
    """With everyday scopes; others are asked for under `/v1/client-requests`."""
    state = request.app.state
    authority = Authority(caller, state.clock, state.settings.instance)

    async def make() -> ApplicationRead:
        return _read(await actions.register_application(session, authority, wanted=wanted))

    return await once.answer(session, ApplicationRead, make)


@router.get("")
async def list_applications(
    response: Response,
    caller: IdentifiedAccess,
    session: Transaction,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[ApplicationRead]:
    response.headers["Cache-Control"] = "no-store"
    after = decode_cursor(cursor, 1)
    rows = await actions.list_applications(
        session, caller=caller, after=str(after[0]) if after else None, limit=limit
    )
    return page(rows, limit, _read, lambda row: [row.identifier])


@router.post(
    "/{application_id}/suspend",
    responses=responses(ApplicationUnknown, OperatorOnly, ApplicationEnded),
)
async def suspend_application(
    application_id: UUID, desk: AtDesk, session: Transaction, wanted: ApplicationSuspend
) -> ApplicationRead:
    suspended = await actions.suspend_application(
        session, desk, application_id=application_id, reason=wanted.reason
    )
    return _read(suspended)


@router.post(
    "/{application_id}/resume",
    responses=responses(ApplicationUnknown, OperatorOnly, ApplicationEnded),
)
async def resume_application(
    application_id: UUID, desk: AtDesk, session: Transaction
) -> ApplicationRead:
    return _read(await actions.resume_application(session, desk, application_id=application_id))


@internal.get("/internal/signing-keys", include_in_schema=False)
async def read_signing_keys(
    request: Request,
    _: GatewayAccess,
    session: Transaction,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
) -> Response:
    """All of them, or 304 when nothing changed since version `after`."""
    found = await actions.signing_keys(session, request.app.state.clock, after=after)
    if found is None:
        return Response(status_code=304)
    return Response(orjson.dumps(found.as_dict()), media_type="application/json")
