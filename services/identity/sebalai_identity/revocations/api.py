"""HTTP of revocations: the feed of the gateways."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response
from sebalai_shared.caller import GatewayAccess
from sebalai_shared.database import Transaction

from sebalai_identity.revocations import actions
from sebalai_identity.revocations.schema import RevocationsRead

router = APIRouter(tags=["revocations"])


@router.get("/internal/revocations", response_model=RevocationsRead, include_in_schema=False)
async def read_revocations(
    request: Request,
    _: GatewayAccess,
    session: Transaction,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
) -> Response:
    """304 when nothing was revoked since cursor `after`."""
    found = await actions.revocations_since(session, request.app.state.clock, after=after)
    if found is None:
        return Response(status_code=304)
    return Response(orjson.dumps(found.as_dict()), media_type="application/json")
