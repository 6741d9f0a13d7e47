"""HTTP of dynamic client registration (RFC 7591, OpenID Connect Registration 1.0) and of its
management (RFC 7592). What is registered waits for another person's approval (`registrations`).
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import Problem, responses

from sebalai_identity.oauth import client_plan, client_published, jose
from sebalai_identity.oauth.answers import NO_STORE, REFUSED, json_answer
from sebalai_identity.oauth.client_documents import DocumentsBusy
from sebalai_identity.oauth.client_metadata import bad_metadata, read_metadata
from sebalai_identity.oauth.clients import as_id
from sebalai_identity.oauth.desk import Desk
from sebalai_identity.oauth.door import desk_of, source_of
from sebalai_identity.oauth.errors import OAuthError
from sebalai_identity.oauth.throttle import Throttle, TooManyTries
from sebalai_identity.registrations import actions
from sebalai_identity.registrations.actions import AskedTooOften, Plan, Registered

router = APIRouter(tags=["oauth"])

BYTES_MAX = 32_768
THROTTLED = "registration"
CLIENT = "/oauth/register/{client_id}"
DAY_SECONDS = 86_400
BUSY_SECONDS = 3
STATEMENT = jose.Expected(
    "software_statement",
    frozenset({"jwt"}),
    frozenset({"alg", "typ", "kid"}),
    lambda text: OAuthError("invalid_software_statement", text),
    "jwt",
)
# Ours to say, so nobody may send them back changed (RFC 7592 section 2.2).
OURS = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)

ANSWERS = REFUSED | responses(TooManyTries)


@router.post("/oauth/register", status_code=201, responses=ANSWERS)
async def register_client(request: Request, _: PublicAccess, session: Transaction) -> Response:
    """With an initial access token (RFC 7591 section 3): without one nobody registers."""
    desk = desk_of(request, session)

    async def work(secret: str) -> Response:
        token = await actions.open_token(session, desk.clock, secret=secret)
        if token is None:
            raise _unknown_token()
        plan = await _plan(desk, await _read(request))
        async with session.begin_nested():
            made = await actions.register(session, desk.clock, token=token, plan=plan)
        if made is None:
            raise _unknown_token()
        return _answer(desk, made, 201)

    return await _answered(request, work)


@router.get(CLIENT, responses=ANSWERS)
async def read_client(
    request: Request, _: PublicAccess, session: Transaction, client_id: str
) -> Response:
    desk = desk_of(request, session)

    async def work(secret: str) -> Response:
        known = _known_id(client_id)
        found = await actions.read_registration(session, client_id=known, secret=secret)
        return _answer(desk, found)

    return await _answered(request, work)


@router.put(CLIENT, responses=ANSWERS)
async def change_client(
    request: Request, _: PublicAccess, session: Transaction, client_id: str
) -> Response:
    """The whole metadata anew; the answer has a new registration access token."""
    desk = desk_of(request, session)

    async def work(secret: str) -> Response:
        known = _known_id(client_id)
        found = await actions.read_registration(session, client_id=known, secret=secret)
        if found is None:
            raise _unknown_token()
        plan = await _plan(desk, _owned(await _read(request), client_id))
        instance = request.app.state.settings.instance
        async with session.begin_nested():
            changed = await actions.change_registration(
                session, desk.clock, instance, client_id=known, secret=secret, plan=plan
            )
        return _answer(desk, changed)

    return await _answered(request, work)


@router.delete(CLIENT, status_code=204, responses=ANSWERS)
async def end_client(
    request: Request, _: PublicAccess, session: Transaction, client_id: str
) -> Response:
    """Its tokens end at once, and its id is never used again."""
    desk = desk_of(request, session)

    async def work(secret: str) -> Response:
        known = _known_id(client_id)
        if not await actions.end_registration(session, desk.clock, client_id=known, secret=secret):
            raise _unknown_token()
        return Response(status_code=204, headers=NO_STORE)

    return await _answered(request, work)


async def _answered(request: Request, work: Callable[[str], Awaitable[Response]]) -> Response:
    """Guesses at tokens are counted by where they come from."""
    throttle: Throttle = request.app.state.client_throttle
    source = source_of(request)
    throttle.check(source, THROTTLED)
    try:
        return await work(_bearer(request))
    except AskedTooOften:
        text = f"At most {actions.ASKED_A_DAY_MAX} changes a day wait for approval."
        wait = {"Retry-After": str(DAY_SECONDS)}
        return json_answer(OAuthError("temporarily_unavailable", text, status=429, headers=wait))
    except DocumentsBusy as error:
        wait = {"Retry-After": str(BUSY_SECONDS)}
        return json_answer(
            OAuthError("temporarily_unavailable", f"{error}.", status=503, headers=wait)
        )
    except Problem as problem:
        # An agency that has ended, keys that have; the savepoint has undone what was begun.
        return json_answer(OAuthError("invalid_client_metadata", problem.detail))
    except OAuthError as error:
        if error.code != "invalid_token":
            return json_answer(error)
        throttle.note(source, THROTTLED)
        challenge = f'Bearer error="{error.code}", error_description="{error.description}"'
        return json_answer(error, {"WWW-Authenticate": challenge})


def _bearer(request: Request) -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise OAuthError("invalid_token", "Send the token as Authorization: Bearer.")
    return secret.strip()


def _unknown_token() -> OAuthError:
    return OAuthError("invalid_token", "The token is not known, has ended, or is used up.")


def _known_id(text: str) -> UUID:
    found = as_id(text)
    if found is None:
        raise _unknown_token()
    return found


def _answer(desk: Desk, found: Registered | None, status: int = 200) -> Response:
    if found is None:
        raise _unknown_token()
    return json_answer(client_plan.told(desk.server.issuer, found), status=status)


async def _read(request: Request) -> dict[str, Any]:
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise OAuthError("invalid_client_metadata", "Send the metadata as application/json.")
    body = await request.body()
    if len(body) > BYTES_MAX:
        raise OAuthError("invalid_client_metadata", f"At most {BYTES_MAX} bytes are taken here.")
    try:
        found: Any = json.loads(body, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise OAuthError(
            "invalid_client_metadata", "The body must be JSON without duplicate members."
        ) from error
    if not isinstance(found, dict):
        raise OAuthError("invalid_client_metadata", "The body must be an object.")
    return found  # pyright: ignore[reportUnknownVariableType]


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate member")
    return found


def _owned(document: dict[str, Any], client_id: str) -> dict[str, Any]:
    if document.get("client_id") != client_id:
        raise bad_metadata("client_id", "it must be the client's own.")
    for name in OURS:
        if name in document:
            raise bad_metadata(name, "it is not the client's to say; leave it out.")
    return document


async def _plan(desk: Desk, document: dict[str, Any]) -> Plan:
    metadata, names = read_metadata(document, desk.now.date())
    if metadata.software_statement is not None:
        jose.read(metadata.software_statement, STATEMENT)
        raise OAuthError(
            "unapproved_software_statement", "No issuer of software statements is approved here."
        )
    client_published.require_served(desk, metadata)
    plan = client_plan.plan_of(metadata, names, await client_published.read(desk, metadata))
    await client_published.require_sector(desk, metadata)
    return plan
