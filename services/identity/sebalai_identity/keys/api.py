"""HTTP of keys: `/oauth/jwks` for everyone, `/internal/keys` for the gateway."""

import asyncio
import hashlib
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query, Request, Response
from sebalai_shared.caller import GatewayAccess, PublicAccess
from sebalai_shared.database import FAILURES, Database, Transaction, told_of

from sebalai_identity.keys.actions import KeySnapshot, Ring
from sebalai_identity.keys.schema import KeySet, KeySnapshotRead

router = APIRouter(tags=["keys"])

JWKS_MAX_AGE_SECONDS = 300
SILENCE_SECONDS = 2.0
"""A database that does not even refuse is waited for no longer where the keys are known."""
AWAY_MAX_AGE_SECONDS = 60
"""What is told from memory is asked for again sooner."""
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
    if_none_match: Annotated[str | None, Header(max_length=256)] = None,
) -> Response:
    """While the database is away the keys as they were read last, for a bounded time."""
    snapshot, seconds = await _published(request)
    body = orjson.dumps({"keys": snapshot.keys if snapshot else []})
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={seconds}"}
    asked = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    if tag in asked or "*" in asked:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/jwk-set+json", headers=headers)


async def _published(request: Request) -> tuple[KeySnapshot | None, int]:
    """The keys, and the seconds they may be kept. Raises `Unavailable`.

    The transaction is begun here and not by the framework, which would answer for its failure.
    """
    ring: Ring = request.app.state.ring
    database: Database = request.app.state.database
    known = ring.remembered()
    patience = SILENCE_SECONDS if known is not None else None
    try:
        async with asyncio.timeout(patience), database.transaction() as session:
            return await ring.snapshot(session), JWKS_MAX_AGE_SECONDS
    except (*FAILURES, TimeoutError) as error:
        away = told_of(error)
        if known is None:
            raise away from error
        return known, AWAY_MAX_AGE_SECONDS


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
