"""HTTP of SCIM 2.0 (RFC 7643, 7644): `/scim/v2`, for agencies' HR systems."""

import logging
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from scim2_models import ForbiddenException, ResourceType, SCIMException, UnauthorizedException
from scim2_server.handler import AsyncScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation, Target
from scim2_server.service import ScimService
from sebalai_shared.caller import Caller, PublicAccess
from sebalai_shared.database import Transaction

from sebalai_identity.desk import Desk
from sebalai_identity.scim.access import may_provision
from sebalai_identity.scim.schema import scim_provider
from sebalai_identity.scim.storage import AgencyStorage

log = logging.getLogger(__name__)

ROOT = "/scim/v2"
OUTSIDE = f"/api/identity{ROOT}"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
OPEN = {
    Operation.service_provider_config,
    Operation.resource_types,
    Operation.resource_type,
    Operation.schemas,
    Operation.schema,
}

router = APIRouter(prefix=ROOT, tags=["scim"])


class AgencyService(ScimService):
    """What scim2-server does, for callers with scope `identity.scim` alone."""

    def authorize(self, request: ScimRequest, target: Target, resource_type: ResourceType) -> None:
        """Raises `UnauthorizedException`, `ForbiddenException`."""
        del target, resource_type
        caller: Caller = request.subject
        if caller.is_anonymous:
            raise UnauthorizedException
        if not may_provision(caller):
            raise ForbiddenException(detail="It needs scope identity.scim, and an agency.")


def _require(service: ScimService, request: ScimRequest) -> None:
    """Before anything else is told; descriptions of the service are open (RFC 7643 section 5)."""
    if service.match(request).operation not in OPEN:
        service.authorize(request, service.match(request), service.provider.resource_types[0])


async def _read(request: Request, path: str, caller: Caller) -> ScimRequest:
    settings = request.app.state.settings
    return ScimRequest(
        method=request.method,
        base_url=f"{settings.public_url.rstrip('/')}{OUTSIDE}",
        path=f"/{path}".removesuffix(".scim"),
        query=dict(request.query_params),
        headers=list(request.headers.items()),
        body=await request.body(),
        subject=caller,
    )


def _answer(found: ScimResponse) -> Response:
    body = b"" if found.body is None else orjson.dumps(found.body)
    headers = {"Cache-Control": "no-store"} | found.headers
    return Response(body, status_code=int(found.status), headers=headers)


@router.api_route("/{path:path}", methods=METHODS, include_in_schema=False)
async def serve(
    path: str, request: Request, caller: PublicAccess, session: Transaction
) -> Response:
    """The protocol's own answers and errors (RFC 7644 section 3.12); described by `/Schemas`."""
    state: Any = request.app.state
    service = AgencyService(scim_provider())
    asked = await _read(request, path, caller)
    desk = Desk(caller, state.clock, state.vault)
    try:
        _require(service, asked)
        handler = AsyncScimHandler(service, AgencyStorage(session, desk, service))
        return _answer(await handler.handle(asked))
    except SCIMException as error:
        return _answer(service.error_response(error))
