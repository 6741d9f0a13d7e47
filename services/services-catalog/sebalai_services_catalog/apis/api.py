"""HTTP of the API catalogue: `/.well-known/api-catalog` (RFC 9727), public."""

import hashlib

import orjson
from fastapi import APIRouter, Request, Response
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction

from sebalai_services_catalog.apis import actions
from sebalai_services_catalog.apis.linkset import CATALOG_PATH, MEDIA_TYPE, linkset

router = APIRouter(tags=["apis"])

FRESH_SECONDS = 60


@router.head(CATALOG_PATH, include_in_schema=False)
@router.get(
    CATALOG_PATH,
    response_class=Response,
    responses={200: {"description": "A linkset", "content": {MEDIA_TYPE: {}}}},
)
async def read_api_catalog(
    request: Request, caller: PublicAccess, session: Transaction
) -> Response:
    """Where every OpenAPI document of the platform is."""
    public_url = request.app.state.settings.public_url
    interfaces = await actions.list_interfaces(session, caller=caller)
    body = orjson.dumps(linkset(public_url, interfaces))
    headers = {
        "Link": f'<{public_url}{CATALOG_PATH}>; rel="api-catalog"',
        "ETag": f'"{hashlib.sha256(body).hexdigest()}"',
        "Cache-Control": f"public, max-age={FRESH_SECONDS}",
        "Access-Control-Allow-Origin": "*",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=MEDIA_TYPE, headers=headers)
