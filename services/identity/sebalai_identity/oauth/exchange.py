"""Token exchange (RFC 8693): an application calls one interface for one purpose on behalf of a
person, and says so. Impersonation does not exist: `act` always names who acts, and who before.

The token names the interface and the purpose; whether an agreement allows both is decided by the
gateway at the call, which knows agreements as they stand at that moment (ADR 0009).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sebalai_identity.oauth import tokens
from sebalai_identity.oauth.clients import Proven
from sebalai_identity.oauth.desk import Desk
from sebalai_identity.oauth.errors import OAuthError, invalid_request
from sebalai_identity.oauth.tokens import Binding

ACCESS_TYPE = "urn:ietf:params:oauth:token-type:access_token"
LIFETIME = timedelta(seconds=120)
DEPTH_MAX = 3
PURPOSE_LENGTH_MAX = 80
INTERFACE_LENGTH_MAX = 300
BUS_SCOPE = "bus.call"
INHERITED = ("sub", "sid", "acr", "amr", "auth_time", "posting", "acting_for")


async def by_exchange(
    desk: Desk, parameters: Mapping[str, str], proven: Proven, binding: Binding
) -> dict[str, Any]:
    """Raises `OAuthError`."""
    client = proven.client
    subject = await _subject(desk, parameters, proven)
    interface, purpose = _target(parameters), _purpose(parameters)
    _require_mandate(subject, purpose)
    if not binding.claim:
        raise invalid_request("An exchanged token is bound to its actor: send a DPoP proof.")
    if BUS_SCOPE not in client.scopes:
        raise OAuthError("invalid_scope", f"The application does not hold {BUS_SCOPE}.")
    claims = {name: subject.get(name) for name in INHERITED}
    claims |= {
        "client_id": str(client.client_id),
        "kind": "system",
        "agency": client.agency,
        "application": client.application,
        "scope": BUS_SCOPE,
        "interface": interface,
        "purpose": purpose,
        "subject_kind": subject.get("subject_kind", subject["kind"]),
        "rjti": subject.get("rjti", subject["jti"]),
        "act": _act(proven, subject),
    }
    ends = desk.until(LIFETIME, client.valid_until)
    expires = datetime.fromtimestamp(min(ends.timestamp(), subject["exp"]), UTC)
    answer = await tokens.access_token(desk, claims, binding, expires)
    return answer | {"issued_token_type": ACCESS_TYPE}


async def _subject(desk: Desk, parameters: Mapping[str, str], proven: Proven) -> dict[str, Any]:
    """The person's token: one the actor got itself, or one it was called with."""
    if parameters.get("subject_token_type") != ACCESS_TYPE:
        raise invalid_request(f"subject_token_type must be {ACCESS_TYPE}")
    if parameters.get("requested_token_type", ACCESS_TYPE) != ACCESS_TYPE:
        raise invalid_request(f"requested_token_type must be {ACCESS_TYPE}")
    if "actor_token" in parameters:
        raise invalid_request("The actor is the client itself; send no actor_token.")
    try:
        claims = await tokens.read_access_token(desk, parameters.get("subject_token", ""))
    except OAuthError as error:
        raise invalid_request("subject_token is not a living access token of ours.") from error
    client = proven.client
    was_called_with = str(claims.get("interface", "")).startswith(f"{client.application}/")
    if claims["client_id"] != str(client.client_id) and not was_called_with:
        raise invalid_request("subject_token was given to another application.")
    if "sid" not in claims:
        raise invalid_request("subject_token is no person's.")
    return claims


def _target(parameters: Mapping[str, str]) -> str:
    interface = parameters.get("audience", "")
    parts = interface.split("/")
    if len(parts) != 5 or not all(parts) or len(interface) > INTERFACE_LENGTH_MAX:
        raise OAuthError("invalid_target", "audience must be one interface, as it is called on r1.")
    return interface


def _purpose(parameters: Mapping[str, str]) -> str:
    purpose = parameters.get("purpose", "")
    if not 0 < len(purpose) <= PURPOSE_LENGTH_MAX or not purpose.isprintable():
        raise invalid_request("purpose must be the code of one purpose of the agreement.")
    return purpose


def _require_mandate(subject: dict[str, Any], purpose: str) -> None:
    """A representation that is limited serves the purposes it names and no other."""
    matters = (subject.get("acting_for") or {}).get("matters")
    if matters is not None and purpose not in matters:
        raise OAuthError("access_denied", "The representation does not cover this purpose.")


def _act(proven: Proven, subject: dict[str, Any]) -> dict[str, Any]:
    """RFC 8693 4.1: the present actor outside, those before inside."""
    act: dict[str, Any] = {"sub": str(proven.client.client_id), "agency": proven.client.agency}
    before = subject.get("act")
    if before is not None:
        act["act"] = before
    depth, inner = 0, act
    while isinstance(inner, dict):
        depth, inner = depth + 1, inner.get("act")
    if depth > DEPTH_MAX:
        raise invalid_request(f"A chain of more than {DEPTH_MAX} actors is not carried.")
    return act
