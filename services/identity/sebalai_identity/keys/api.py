"""HTTP of keys: `/oauth/jwks` for everyone, `/internal/keys` for the gateway."""

import hashlib
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query, Request, Response
from sebalai_shared.caller import GatewayAccess, PublicAccess
from sebalai_shared.database import Transaction

from sebalai_identity.keys.actions import Ring
from sebalai_identity.keys.schema import KeySet, KeySnapshotRead

router = APIRouter(tags=["keys"])

JWKS_MAX_AGE_SECONDS = 300
JWK_SET = "application/jwk-set+json"
KEY_SET: dict[int | str, dict[str, Any]] = {
    200: {"content": {JWK_SET: {"schema": KeySet.model_json_schema()}}},
    304: {"description": "Unchanged"},
}


class _KeySetAnswer(Response):
    media_type = JWK_SET


@router.get("/oauth/jwks", response_class=_KeySetAnswer, responses=KEY_SET)
async def read_jwks(
    request: Request,
    _: PublicAccess,
    session: Transaction,
    if_none_match: Annotated[str | None, Header(max_length=256)] = None,
) -> Response:
    ring: Ring = request.app.state.ring
    snapshot = await ring.snapshot(session)
    body = orjson.dumps({"keys": snapshot.keys if snapshot else []})
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={JWKS_MAX_AGE_SECONDS}"}
    asked = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    if tag in asked or "*" in asked:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/jwk-set+json", headers=headers)


@router.get("/internal/keys", response_model=KeySnapshotRead, include_in_schema=False)
async def read_key_snapshot(
    request: Request,
    _: GatewayAccess,
    session: Transaction,
    after: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """304 when nothing is newer than version `after`."""
    ring: Ring = request.app.state.ring
    snapshot = await ring.snapshot(session, after)
    if snapshot is None:
        return Response(status_code=304)
    return Response(orjson.dumps(snapshot.as_dict()), media_type="application/json")
