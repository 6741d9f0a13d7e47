"""HTTP of the routing snapshot, for gateways alone: `/internal/routes`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sebalai_shared.caller import GatewayAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import Unavailable

from sebalai_exchange.routes.actions import RouteCompiler

router = APIRouter(prefix="/internal", tags=["internal"], include_in_schema=False)
MEDIA_TYPE = "application/jose"
VERSION_MAX = 2**62


@router.get("/routes")
async def read_routes(
    request: Request,
    _caller: GatewayAccess,
    session: Transaction,
    after: Annotated[int, Query(ge=0, le=VERSION_MAX)] = 0,
) -> Response:
    """The signed snapshot, or 304 when `after` is the present version."""
    compiler: RouteCompiler | None = request.app.state.routes
    if compiler is None:
        raise Unavailable("Set SEBALAI_ROUTES_KEY_FILE; without a key no routes are signed.")
    snapshot = await compiler.newer_than(session, after)
    if snapshot is None:
        return Response(status_code=304)
    headers = {"ETag": f'"{snapshot.version}"', "Sebalai-Routes-Version": str(snapshot.version)}
    return Response(snapshot.jws, media_type=MEDIA_TYPE, headers=headers)
