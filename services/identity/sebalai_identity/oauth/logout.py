"""RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): a client asks that its person be
signed out. Without a good hint the person is asked first, and nobody is sent anywhere unproven.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sebalai_identity.applications.actions import KnownClient, usable_client
from sebalai_identity.oauth.authorization import read_hint
from sebalai_identity.oauth.clients import as_id
from sebalai_identity.oauth.desk import Desk
from sebalai_identity.oauth.errors import OAuthError
from sebalai_identity.sessions import actions as sessions

PURPOSE = "logout-confirmation-1"


@dataclass(frozen=True)
class SignedOut:
    """Done; `place` is the client's address, where it named one of its own."""

    place: str | None = None
    state: str | None = None


@dataclass(frozen=True)
class Asked:
    """The person must confirm; `mark` proves that it was our own page that asked."""

    mark: str


async def sign_out(
    desk: Desk, parameters: Mapping[str, str], cookie: str | None
) -> SignedOut | Asked:
    session = await sessions.current(desk.session, desk.clock, cookie=cookie)
    hint = await _hint(desk, parameters.get("id_token_hint"))
    named = hint.get("aud") if hint else parameters.get("client_id")
    client = await _client(desk, str(named) if named else None)
    is_sure = hint is not None and (session is None or hint.get("sid") == str(session.id))
    mark = parameters.get("mark", "").encode()
    confirmed = hmac.compare_digest(mark, _mark(desk, cookie).encode())
    if session is not None and not is_sure and not confirmed:
        return Asked(_mark(desk, cookie))
    if cookie is not None:
        await sessions.end_by_cookie(desk.session, desk.clock, cookie=cookie)
    wanted = parameters.get("post_logout_redirect_uri")
    agrees = hint is None or parameters.get("client_id") in (None, hint.get("aud"))
    if client is None or not agrees or wanted not in client.settings.post_logout_redirect_uris:
        return SignedOut()
    return SignedOut(wanted, parameters.get("state"))


async def _hint(desk: Desk, hint: str | None) -> dict[str, object] | None:
    """None for a missing, altered or foreign one: then the person is asked."""
    if hint is None:
        return None
    try:
        return await read_hint(desk, hint)
    except OAuthError:
        return None


async def _client(desk: Desk, client_id: str | None) -> KnownClient | None:
    found: UUID | None = as_id(client_id)
    if found is None:
        return None
    return await usable_client(desk.session, client_id=found, at=desk.now)


def _mark(desk: Desk, cookie: str | None) -> str:
    """Bound to the browser's session, so that no other site can confirm for the person."""
    return hmac.new(desk.ring.secret(PURPOSE), (cookie or "").encode(), "sha256").hexdigest()
