"""Pushed authorization requests (RFC 9126): kept for a minute under a random reference, bound to
their client, good again until a code was issued for them (a person may reload), never after.
"""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sebalai_identity.applications.actions import KnownClient
from sebalai_identity.oauth import authorize, request_object, store
from sebalai_identity.oauth.authorize import RequestRefused
from sebalai_identity.oauth.clients import Proven
from sebalai_identity.oauth.desk import Desk
from sebalai_identity.oauth.errors import OAuthError, invalid_request

PREFIX = "urn:ietf:params:oauth:request_uri:"
LIFETIME = timedelta(seconds=90)
CREDENTIALS = ("client_assertion", "client_assertion_type")


async def push(
    desk: Desk, proven: Proven, parameters: Mapping[str, str], jkt: str | None
) -> dict[str, Any]:
    """The body of the answer 201. Raises `OAuthError`: everything is checked before it is kept."""
    if "request_uri" in parameters:
        raise invalid_request("A pushed request holds no request_uri.")
    own = {name: value for name, value in parameters.items() if name not in CREDENTIALS}
    whole = await request_object.unwrap(desk, proven.client, own)
    if jkt is not None and whole.setdefault("dpop_jkt", jkt) != jkt:
        raise OAuthError("invalid_dpop_proof", "dpop_jkt names another key than the proof's.")
    try:
        authorize.proven_redirect(proven.client, whole)
    except RequestRefused as error:
        raise invalid_request(error.detail) from error
    authorize.read_request(proven.client, whole, desk.server.audience)
    reference = PREFIX + secrets.token_urlsafe(32)
    client_id = proven.client.client_id
    await store.push(desk.session, reference, client_id, whole, desk.now + LIFETIME)
    return {"request_uri": reference, "expires_in": int(LIFETIME.total_seconds())}


async def resolve(
    desk: Desk, client: KnownClient, parameters: Mapping[str, str]
) -> tuple[dict[str, str], bytes | None]:
    """The request's own parameters, and the digest of the pushed one they come from, if any.

    Raises `RequestRefused`: without the pushed request no address is proven.
    """
    reference = parameters.get("request_uri")
    if reference is None or not reference.startswith(PREFIX):
        return dict(parameters), None
    row = await store.pushed(desk.session, reference)
    if row is None or row.client_id != client.client_id or row.expires_at <= desk.now:
        raise RequestRefused("The pushed request has ended; begin again at the application.")
    return row.parameters, store.digest_of(reference)
