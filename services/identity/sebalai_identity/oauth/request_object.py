"""Authorization requests signed by their client (RFC 9101, by value; also inside a pushed request):
what the object says counts, and nothing beside it.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sebalai_identity.applications.actions import KnownClient
from sebalai_identity.oauth import clients, jose
from sebalai_identity.oauth.desk import Desk
from sebalai_identity.oauth.errors import OAuthError, invalid_request

NAME = "request"
LIFETIME = timedelta(hours=1)
FUTURE = timedelta(seconds=10)
SECONDS_MAX = 253_402_300_799
# Claims of the object as a token; everything else in it is a parameter.
OWN = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})


def bad(description: str) -> OAuthError:
    return OAuthError("invalid_request_object", description)


EXPECTED = jose.Expected(
    NAME,
    frozenset({"jwt", "oauth-authz-req+jwt"}),
    frozenset({"alg", "typ", "kid"}),
    bad,
    "jwt",
)


async def unwrap(desk: Desk, client: KnownClient, parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters the client signed, or as they are where it signed none and need not.

    Raises `OAuthError` invalid_request_object or invalid_request.
    """
    compact = parameters.get(NAME)
    if compact is None:
        if client.settings.is_request_object_required and "request_uri" not in parameters:
            raise invalid_request("This application must sign its request (RFC 9101).")
        return dict(parameters)
    if "request_uri" in parameters:
        raise invalid_request("Send request or request_uri, not both.")
    signed = jose.read(compact, EXPECTED)
    if await clients.signer_of(desk, client, signed) is None:
        raise bad("The request was signed by no key of the application.")
    _require_claims(desk, client, signed.claims)
    return _parameters(client, signed.claims)


def _require_claims(desk: Desk, client: KnownClient, claims: dict[str, Any]) -> None:
    client_id = str(client.client_id)
    if claims.get("iss") != client_id or claims.get("client_id", client_id) != client_id:
        raise bad("iss and client_id must both be the client_id that is sent beside the request.")
    # RFC 9101 10.8: so that neither passes for the other, it has no subject and an assertion has.
    if "sub" in claims:
        raise bad("A request has no sub: it could pass for a client assertion.")
    if claims.get("aud") not in (desk.server.issuer, [desk.server.issuer]):
        raise bad(f"aud must be the issuer alone: {desk.server.issuer}")
    if not {NAME, "request_uri"}.isdisjoint(claims):
        raise bad("A request holds neither request nor request_uri.")
    _require_time(desk.now, claims)


def _require_time(now: datetime, claims: dict[str, Any]) -> None:
    at, longest = now.timestamp(), LIFETIME.total_seconds()
    expires, begins = _seconds(claims, "exp"), _seconds(claims, "nbf")
    if expires is None or expires <= at or expires - at > longest:
        raise bad(f"exp must lie ahead, at most {int(longest)} s.")
    if begins is not None and not -longest <= begins - at <= FUTURE.total_seconds():
        raise bad(f"nbf must have passed, at most {int(longest)} s ago.")


def _seconds(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bad(f"{name} must be a number of seconds.")
    if not 0 <= value <= SECONDS_MAX:
        raise bad(f"{name} is not a time.")
    return value


def _parameters(client: KnownClient, claims: dict[str, Any]) -> dict[str, str]:
    found = {name: _written(name, value) for name, value in claims.items() if name not in OWN} | {
        "client_id": str(client.client_id)
    }
    return {name: value for name, value in found.items() if value}


def _written(name: str, value: Any) -> str:
    """As a form would say it: `claims` is an object and `max_age` a number (RFC 9101 section 4)."""
    if isinstance(value, dict):
        value = json.dumps(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or "\x00" in value or not _is_text(value):
        raise bad(f"{name[:40]!r} must be a text.")
    return value


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
