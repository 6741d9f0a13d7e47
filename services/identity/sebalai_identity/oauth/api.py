"""HTTP of the OpenID Provider for programs, as thin as can be; what a person's browser visits is
`visits`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sebalai_shared.caller import Caller, PublicAccess
from sebalai_shared.database import Database, Transaction
from sebalai_shared.problems import responses
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.oauth import (
    clients,
    device,
    dpop,
    forms,
    grants,
    inspection,
    jose,
    metadata,
    par,
)
from sebalai_identity.oauth.answers import NO_STORE, REFUSED, UNBELIEVED, json_answer
from sebalai_identity.oauth.clients import Proven
from sebalai_identity.oauth.desk import Desk
from sebalai_identity.oauth.door import call_of, desk_of, server_of, source_of
from sebalai_identity.oauth.dpop import Call
from sebalai_identity.oauth.errors import OAuthError
from sebalai_identity.oauth.granting import GRANTS
from sebalai_identity.oauth.throttle import Throttle, TooManyTries

router = APIRouter(tags=["oauth"])

METADATA_MAX_AGE_SECONDS = 300
INTROSPECTION_JWT = "application/token-introspection+jwt"
SIGNED: dict[int | str, dict[str, Any]] = {200: {"content": {"application/jwt": {}}}}


Work = Callable[[Desk, dict[str, str], Call], Awaitable[Response]]
Action = Callable[[Desk, dict[str, str], Proven], Awaitable[Response]]


async def _answered(request: Request, caller: Caller, work: Work) -> Response:
    """An error is answered, not raised: raising would undo what the attempt has used up.

    The transaction is begun here and not by the framework, which takes as long as a statement.
    """
    database: Database = request.app.state.database
    async with database.transaction() as session:
        return await _told(request, caller, desk_of(request, session), work)


async def _told(request: Request, caller: Caller, desk: Desk, work: Work) -> Response:
    throttle: Throttle = request.app.state.client_throttle
    source, name = source_of(request), ""
    try:
        form = await forms.read_form(request)
        name = form.get("client_id") or jose.claimed_subject(form.get("client_assertion", ""))
        throttle.check(source, name)
        answer = await work(desk, form, call_of(request, desk, caller))
    except OAuthError as error:
        if error.code == "invalid_client":
            throttle.note(source, name)
        answer = json_answer(error)
    if "DPoP" in request.headers:
        answer.headers[dpop.HEADER] = dpop.nonce_at(desk, desk.now)
    return answer


@router.get("/.well-known/openid-configuration")
@router.get("/.well-known/oauth-authorization-server", operation_id="oauth_read_metadata")
async def read_configuration(request: Request, _: PublicAccess) -> JSONResponse:
    headers = {"Cache-Control": f"public, max-age={METADATA_MAX_AGE_SECONDS}"}
    server, authorities = server_of(request.app), request.app.state.client_authorities
    document = metadata.document(server, list(GRANTS), has_authorities=authorities is not None)
    return JSONResponse(document, headers=headers)


@router.post("/oauth/token", responses=REFUSED | responses(TooManyTries))
async def issue(request: Request, caller: PublicAccess) -> Response:
    return await _answered(request, caller, _grant)


async def _grant(desk: Desk, form: dict[str, str], call: Call) -> Response:
    return json_answer(await grants.grant(desk, form, call, GRANTS))


@router.post("/oauth/par", status_code=201, responses=REFUSED | responses(TooManyTries))
async def push_request(request: Request, caller: PublicAccess) -> Response:
    async def work(desk: Desk, form: dict[str, str], call: Call) -> Response:
        proven = await clients.authenticate(desk, form, call)
        jkt = await dpop.check(desk, call)
        return json_answer(await par.push(desk, proven, form, jkt), status=201)

    return await _answered(request, caller, work)


@router.post("/oauth/device_authorization", responses=REFUSED | responses(TooManyTries))
async def authorize_device(request: Request, caller: PublicAccess) -> Response:
    async def begin(desk: Desk, form: dict[str, str], proven: Proven) -> Response:
        return json_answer(await device.authorize(desk, form, proven))

    return await _answer_client(request, caller, begin)


@router.post("/oauth/introspect", responses=REFUSED | responses(TooManyTries))
async def introspect(request: Request, caller: PublicAccess) -> Response:
    """As a signed statement to whoever accepts it (RFC 9701), which can be kept and shown."""

    async def look(desk: Desk, form: dict[str, str], proven: Proven) -> Response:
        found = await inspection.introspect(desk, form, proven)
        if INTROSPECTION_JWT not in request.headers.get("Accept", "").lower():
            return json_answer(found)
        signed = await inspection.sign(desk, found, proven)
        return Response(signed, media_type=INTROSPECTION_JWT, headers=NO_STORE)

    return await _answer_client(request, caller, look)


@router.post("/oauth/revoke", responses=REFUSED | responses(TooManyTries))
async def revoke_token(request: Request, caller: PublicAccess) -> Response:
    async def end(desk: Desk, form: dict[str, str], proven: Proven) -> Response:
        await inspection.end_token(desk, form, proven)
        return json_answer({})

    return await _answer_client(request, caller, end)


async def _answer_client(request: Request, caller: Caller, action: Action) -> Response:
    async def work(desk: Desk, form: dict[str, str], call: Call) -> Response:
        return await action(desk, form, await clients.authenticate(desk, form, call))

    return await _answered(request, caller, work)


@router.get("/oauth/userinfo", responses=SIGNED | UNBELIEVED)
async def read_userinfo(request: Request, caller: PublicAccess, session: Transaction) -> Response:
    return await _userinfo(request, caller, session, {})


@router.post("/oauth/userinfo", responses=SIGNED | UNBELIEVED)
async def read_userinfo_by_post(
    request: Request, caller: PublicAccess, session: Transaction
) -> Response:
    is_form = request.headers.get("Content-Type", "").startswith(forms.FORM)
    try:
        parameters = await forms.read_form(request) if is_form else {}
    except OAuthError as error:
        return json_answer(error)
    return await _userinfo(request, caller, session, parameters)


async def _userinfo(
    request: Request, caller: Caller, session: AsyncSession, parameters: dict[str, str]
) -> Response:
    desk = desk_of(request, session)
    nonce = {dpop.HEADER: dpop.nonce_at(desk, desk.now)} if "DPoP" in request.headers else {}
    try:
        claims, algorithm, audience = await inspection.read_userinfo(
            desk, call_of(request, desk, caller), request.headers.get("Authorization"), parameters
        )
    except OAuthError as error:
        scheme = "DPoP" if "DPoP" in request.headers else "Bearer"
        challenge = f'{scheme} error="{error.code}", error_description="{error.description}"'
        if error.code == "use_dpop_nonce":
            error.status = 401
        return json_answer(error, nonce | {"WWW-Authenticate": challenge})
    if algorithm is None:
        return json_answer(claims, nonce)
    whole = claims | {"iss": desk.server.issuer, "aud": audience}
    signed = await desk.ring.sign(session, whole, "JWT", algorithm)
    return Response(signed, media_type="application/jwt", headers=NO_STORE | nonce)
