"""HTTP of the OpenID Provider: discovery and the token endpoint, as thin as can be."""

from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction

from sebalai_identity.oauth import metadata
from sebalai_identity.oauth.actions import issue_token
from sebalai_identity.oauth.errors import OAuthError, invalid_request
from sebalai_identity.oauth.grants import Server

router = APIRouter(tags=["oauth"])

FORM = "application/x-www-form-urlencoded"
FORM_BYTES_MAX = 16_384
FORM_FIELDS_MAX = 20
METADATA_MAX_AGE_SECONDS = 300
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@router.get("/.well-known/openid-configuration")
@router.get("/.well-known/oauth-authorization-server", operation_id="oauth_read_metadata")
async def read_configuration(request: Request, _: PublicAccess) -> JSONResponse:
    headers = {"Cache-Control": f"public, max-age={METADATA_MAX_AGE_SECONDS}"}
    return JSONResponse(metadata.document(request.app.state.settings.public_url), headers=headers)


@router.post("/oauth/token")
async def issue(request: Request, _: PublicAccess, session: Transaction) -> JSONResponse:
    state = request.app.state
    try:
        parameters = await _form(request)
    except OAuthError as error:
        return _answer(error)
    server = Server(state.settings.public_url, state.settings.audience)
    return _answer(
        await issue_token(
            session, state.clock, server=server, ring=state.ring, parameters=parameters
        )
    )


async def _form(request: Request) -> dict[str, str]:
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise invalid_request(f"Send the parameters as {FORM}.")
    body = await request.body()
    if len(body) > FORM_BYTES_MAX:
        raise invalid_request(f"At most {FORM_BYTES_MAX} bytes are taken here.")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FORM_FIELDS_MAX,
        )
    except ValueError as error:
        raise invalid_request("The form is not well encoded, or has too many fields.") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise invalid_request("Send each parameter once.")
    # RFC 6749 section 3.2: a parameter without a value counts as left out.
    return {name: value for name, value in found.items() if value}


def _answer(result: dict[str, Any] | OAuthError) -> JSONResponse:
    if isinstance(result, OAuthError):
        return JSONResponse(result.document(), result.status, headers=NO_STORE)
    return JSONResponse(result, headers=NO_STORE)
