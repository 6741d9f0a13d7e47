"""The authorization endpoint's decisions: from a client's request to a code, with the person's
sign-in and consent between. Pages are others'; what a person may is asked anew at the end.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sebalai_shared.ids import uuid7

from sebalai_identity.applications.actions import KnownClient, usable_client
from sebalai_identity.assurance import level_of
from sebalai_identity.consents.actions import covers, scopes_of
from sebalai_identity.interactions import actions as interactions
from sebalai_identity.interactions.actions import Interaction, Wanted
from sebalai_identity.oauth import (
    acting_for,
    authorize,
    clients,
    device,
    par,
    request_object,
    store,
    tokens,
)
from sebalai_identity.oauth.authorize import RequestRefused
from sebalai_identity.oauth.claims import essential_acr
from sebalai_identity.oauth.clients import as_id
from sebalai_identity.oauth.desk import Desk
from sebalai_identity.oauth.errors import OAuthError, invalid_request
from sebalai_identity.oauth.policy import POLICIES
from sebalai_identity.registrations.actions import waiting_client
from sebalai_identity.sessions import actions as sessions
from sebalai_identity.sessions.actions import Session

CODE_LIFETIME = timedelta(seconds=60)
CODE_KNOWN = timedelta(hours=24)
SIGN_IN, ACTING, CONSENT = "/sign-in", "/acting-for", "/consent"
DEVICE_DONE = "/device/done"


@dataclass(frozen=True)
class Answer:
    """To the client, at its proven address, in `mode` query or form_post."""

    redirect_uri: str
    mode: str
    parameters: dict[str, str]


@dataclass(frozen=True)
class Visit:
    """To a page of ours first, with the interaction it serves."""

    page: str
    interaction_id: str


@dataclass(frozen=True)
class Standing:
    """Who signed in, and the business they act for, if for any."""

    session: Session
    business: UUID | None


async def begin(desk: Desk, parameters: Mapping[str, str], cookie: str | None) -> Answer | Visit:
    """Raises `RequestRefused`, which is shown to the person."""
    client = await _client(desk, as_id(parameters.get("client_id")))
    try:
        parameters = await request_object.unwrap(desk, client, parameters)
    except OAuthError as error:
        # What address it meant cannot be known.
        raise RequestRefused(error.description) from error
    whole, reference = await par.resolve(desk, client, parameters)
    redirect_uri = authorize.proven_redirect(client, whole)
    mode, state = authorize.response_mode(whole), whole.get("state")
    try:
        _require_par(client, reference)
        wanted = authorize.read_request(client, whole, desk.server.audience)
        wanted.extra["pushed"] = reference.hex() if reference else None
        return await _decide(desk, client, wanted, cookie, None)
    except OAuthError as error:
        return _failure(desk, redirect_uri, mode, state, error)


async def proceed(desk: Desk, interaction_id: str, cookie: str | None) -> Answer | Visit:
    """After a page. Raises `RequestRefused`, `InteractionUnknown`."""
    found = await interactions.get_interaction(desk.session, interaction_id, at=desk.now)
    client = await _client(desk, found.client_id)
    extra = found.extra
    try:
        if found.refusal is not None:
            await interactions.close_interaction(
                desk.session, desk.clock, interaction_id=interaction_id
            )
            if "device" in extra:
                await device.settle(desk, found, None)
                return Visit(DEVICE_DONE, "")
            return _failure(
                desk,
                extra["redirect_uri"],
                extra["mode"],
                extra["state"],
                OAuthError(found.refusal, "The person did not agree."),
            )
        return await _decide(desk, client, found, cookie, found)
    except OAuthError as error:
        if "device" in extra:
            await device.settle(desk, found, None)
            return Visit(DEVICE_DONE, "")
        return _failure(desk, extra["redirect_uri"], extra["mode"], extra["state"], error)


async def _client(desk: Desk, client_id: UUID | None) -> KnownClient:
    found = (
        await usable_client(desk.session, client_id=client_id, at=desk.now) if client_id else None
    )
    if found is None:
        waiting = await waiting_client(desk.session, client_id=client_id) if client_id else None
        # A browser proves nothing for its client, but that it has an id to show.
        raise RequestRefused(
            "client_id is not one we know, or the application is suspended."
            if waiting is None
            else clients.UNAPPROVED[waiting.state]
        )
    return found


def _require_par(client: KnownClient, reference: bytes | None) -> None:
    settings = client.settings
    if reference is None and (settings.is_par_required or POLICIES[settings.kind].is_par_required):
        raise invalid_request("Push the request to /oauth/par first; this application must.")


async def _decide(
    desk: Desk, client: KnownClient, wanted: Wanted, cookie: str | None, opened: Interaction | None
) -> Answer | Visit:
    session = await sessions.current(desk.session, desk.clock, cookie=cookie)
    hinted = await _hinted(desk, client, wanted)
    if (
        session is None
        or _needs_sign_in(desk, wanted, session, opened)
        or (hinted is not None and hinted != tokens.subject_for(desk, client, session.subject))
    ):
        _require_progress(wanted, session, opened)
        return await _visit(desk, SIGN_IN, "login_required", wanted, opened)
    acting = await acting_for.decide(desk, wanted, session.subject, opened)
    if acting is acting_for.UNDECIDED:
        return await _visit(desk, ACTING, "interaction_required", wanted, opened)
    standing = Standing(session, acting)
    if await _needs_consent(desk, client, wanted, standing, opened):
        return await _visit(desk, CONSENT, "consent_required", wanted, opened)
    return await _finish(desk, wanted, standing, opened)


def _needs_sign_in(
    desk: Desk, wanted: Wanted, session: Session, opened: Interaction | None
) -> bool:
    has_just_signed_in = opened is not None and session.auth_time >= opened.opened_at
    essential = essential_acr(wanted.claims)
    if essential and not _reaches(session, essential):
        return True
    if has_just_signed_in:
        return False
    age = (desk.now - session.auth_time).total_seconds()
    return (
        bool({"login", "select_account"} & set(wanted.prompt))
        or (wanted.max_age is not None and age > wanted.max_age)
        or (bool(wanted.acr_values) and not _reaches(session, wanted.acr_values))
    )


def _reaches(session: Session, values: tuple[str, ...]) -> bool:
    """Any of the values; names that are none of ours are reached by nobody."""
    levels = [level_of(value) for value in values if level_of(value) > 0]
    return bool(levels) and session.level >= min(levels)


def _require_progress(wanted: Wanted, session: Session | None, opened: Interaction | None) -> None:
    """Who just signed in and still does not suffice must not be sent round for ever."""
    if opened is None or session is None or session.auth_time < opened.opened_at:
        return
    essential = essential_acr(wanted.claims)
    if essential and not _reaches(session, essential):
        raise OAuthError("unmet_authentication_requirements", "The acr asked for was not reached.")
    raise OAuthError("login_required", "Another person than the hinted one signed in.")


async def _hinted(desk: Desk, client: KnownClient, wanted: Wanted) -> str | None:
    """The subject of an ID token of ours; an old one names its person as well."""
    hint = wanted.extra.get("hint")
    if hint is None:
        return None
    claims = await read_hint(desk, hint)
    if claims.get("aud") != str(client.client_id):
        raise invalid_request("id_token_hint was issued to another application.")
    return str(claims["sub"])


async def read_hint(desk: Desk, hint: str) -> dict[str, Any]:
    """Raises `OAuthError` invalid_request unless it is an ID token that we signed."""
    claims = await desk.ring.verify(desk.session, hint)
    if claims is None or claims.get("iss") != desk.server.issuer or "auth_time" not in claims:
        raise invalid_request("id_token_hint is no ID token of ours.")
    return claims


async def _needs_consent(
    desk: Desk, client: KnownClient, wanted: Wanted, standing: Standing, opened: Interaction | None
) -> bool:
    subject = standing.session.subject
    if not POLICIES[client.settings.kind].asks_consent:
        return False
    has_agreed = opened is not None and opened.consented_by == subject
    if "consent" in wanted.prompt and not has_agreed:
        return True
    return not await covers(
        desk.session,
        desk.clock,
        subject=subject,
        client_id=client.client_id,
        scopes=scopes_of(wanted.scopes, standing.business),
    )


async def _visit(
    desk: Desk, page: str, code: str, wanted: Wanted, opened: Interaction | None
) -> Visit:
    if "none" in wanted.prompt:
        raise OAuthError(code, "The person would have to be asked, and prompt=none forbids it.")
    if opened is not None:
        return Visit(page, opened.id)
    made = await interactions.open_interaction(desk.session, desk.clock, wanted=wanted)
    return Visit(page, made)


async def _finish(
    desk: Desk, wanted: Wanted, standing: Standing, opened: Interaction | None
) -> Answer | Visit:
    closed = opened is None or await interactions.close_interaction(
        desk.session, desk.clock, interaction_id=opened.id
    )
    if closed and opened is not None and "device" in wanted.extra:
        await device.settle(desk, opened, content(wanted, standing))
        return Visit(DEVICE_DONE, "")
    pushed = wanted.extra.get("pushed")
    fresh = pushed is None or await store.use_pushed(desk.session, bytes.fromhex(pushed), desk.now)
    if not closed or not fresh:
        raise RequestRefused("This sign-in was finished before; begin again at the application.")
    code = secrets.token_urlsafe(32)
    expires: datetime = desk.now + CODE_LIFETIME
    known = desk.now + CODE_KNOWN
    await store.keep_code(desk.session, code, uuid7(), content(wanted, standing), expires, known)
    return _answer(desk, wanted.extra, {"code": code})


def content(wanted: Wanted, standing: Standing) -> dict[str, Any]:
    """What a grant remembers of its request and its sign-in."""
    extra, session = wanted.extra, standing.session
    return {
        "client_id": str(wanted.client_id),
        "redirect_uri": extra.get("redirect_uri"),
        "challenge": extra.get("challenge"),
        "jkt": extra.get("jkt"),
        "nonce": extra.get("nonce"),
        "scopes": list(wanted.scopes),
        "claims": wanted.claims,
        "subject": str(session.subject),
        "sid": str(session.id),
        "acr": session.acr,
        "amr": list(session.amr),
        "auth_time": int(session.auth_time.timestamp()),
        "business": str(standing.business) if standing.business else None,
    }


def _failure(
    desk: Desk, redirect_uri: str, mode: str, state: str | None, error: OAuthError
) -> Answer:
    extra = {"redirect_uri": redirect_uri, "mode": mode, "state": state}
    return _answer(desk, extra, error.document())


def _answer(desk: Desk, extra: Mapping[str, Any], parameters: dict[str, str]) -> Answer:
    state = {"state": str(extra["state"])} if extra["state"] is not None else {}
    whole = parameters | state | {"iss": desk.server.issuer}
    return Answer(extra["redirect_uri"], extra["mode"], whole)
