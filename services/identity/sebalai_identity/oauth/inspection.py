"""What a token is worth (RFC 7662), ending one (RFC 7009), and who it is about (OIDC Core 5.3)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sebalai_identity.applications.actions import usable_client
from sebalai_identity.oauth import dpop, families, tokens
from sebalai_identity.oauth.clients import Proven
from sebalai_identity.oauth.desk import Desk
from sebalai_identity.oauth.dpop import Call
from sebalai_identity.oauth.errors import OAuthError, invalid_request
from sebalai_identity.revocations.actions import revoke

INACTIVE: dict[str, Any] = {"active": False}
BY_CLIENT = "revoked by its client"
SHOWN = (
    "iss", "aud", "sub", "client_id", "jti", "iat", "exp", "scope", "kind", "agency", "sid", "acr",
    "amr", "auth_time", "cnf", "act", "purpose", "acting_for",
)  # fmt: skip


def _required(parameters: Mapping[str, str]) -> str:
    token = parameters.get("token")
    if token is None:
        raise invalid_request("token is missing.")
    return token


async def introspect(desk: Desk, parameters: Mapping[str, str], proven: Proven) -> dict[str, Any]:
    """Only a client's own tokens; of all others even their existence is not told."""
    token = _required(parameters)
    own = str(proven.client.client_id)
    if "." in token:
        claims = await _readable(desk, token)
        if claims is None or claims["client_id"] != own:
            return INACTIVE
        shown = {name: claims[name] for name in SHOWN if name in claims}
        kind = "DPoP" if "jkt" in claims.get("cnf", {}) else "Bearer"
        return {"active": True, "token_type": kind} | shown
    found = await families.named_by(desk, token, proven.client.client_id)
    if found is None:
        return INACTIVE
    named, row = found
    if named.number != row.number and not families.is_in_grace(desk, row):
        return INACTIVE
    return {
        "active": True,
        "iss": desk.server.issuer,
        "client_id": own,
        "sub": tokens.subject_for(desk, proven.client, row.subject),
        "scope": " ".join(sorted(row.content["scopes"])),
        "exp": int(min(row.idle_until, row.absolute_until).timestamp()),
    }


async def sign(desk: Desk, found: dict[str, Any], proven: Proven) -> str:
    """RFC 9701 section 5: about the token, to its client; neither `sub` nor `exp` of its own, so
    that it passes for no other token.
    """
    claims = {
        "iss": desk.server.issuer,
        "aud": str(proven.client.client_id),
        "iat": int(desk.now.timestamp()),
        "token_introspection": found,
    }
    algorithm = proven.client.settings.introspection_algorithm
    return await desk.ring.sign(desk.session, claims, "token-introspection+jwt", algorithm)


async def _readable(desk: Desk, token: str) -> dict[str, Any] | None:
    try:
        return await tokens.read_access_token(desk, token)
    except OAuthError:
        return None


async def end_token(desk: Desk, parameters: Mapping[str, str], proven: Proven) -> None:
    """A client's own token; an unknown one is ended already (RFC 7009 section 2.2)."""
    token = _required(parameters)
    if "." not in token:
        found = await families.named_by(desk, token, proven.client.client_id)
        if found is not None:
            await families.end(desk, found[0].id, BY_CLIENT)
        return
    claims = await _readable(desk, token)
    if claims is not None and claims["client_id"] == str(proven.client.client_id):
        await revoke(
            desk.session,
            desk.clock,
            kind="jti",
            value=claims["jti"],
            reason=BY_CLIENT,
        )


async def read_userinfo(
    desk: Desk, call: Call, authorization: str | None, parameters: Mapping[str, str]
) -> tuple[dict[str, Any], str | None, str]:
    """The claims; the algorithm to sign them with, if the client registered one; the client's id.

    Raises `OAuthError` invalid_token or insufficient_scope.
    """
    scheme, token = _presented(authorization, parameters)
    claims = await tokens.read_access_token(desk, token)
    await _require_binding(desk, call, claims, scheme, token)
    scopes = frozenset(claims["scope"].split())
    client = await usable_client(desk.session, client_id=UUID(claims["client_id"]), at=desk.now)
    if client is None or "openid" not in scopes or "sid" not in claims:
        raise OAuthError("insufficient_scope", "The token was not issued for openid.", status=403)
    names = tokens.claims_of_scopes(scopes) | frozenset(claims.get("userinfo", ()))
    known = await desk.person_claims(tokens.person_of(desk, claims), names)
    known |= await _told_of_business(desk, claims)
    return known | {"sub": claims["sub"]}, client.settings.userinfo_algorithm, str(client.client_id)


async def _told_of_business(desk: Desk, claims: dict[str, Any]) -> dict[str, Any]:
    """Whom the person acts for, with its name as it is now."""
    acting_for = claims.get("acting_for")
    if acting_for is None:
        return {}
    business = UUID(acting_for["business"])
    authority = await desk.authority_for(tokens.person_of(desk, claims), business)
    if authority.acting_for is None:
        raise OAuthError("invalid_token", "The person does not act for the business any more.")
    return {"acting_for": {**authority.acting_for, "name": authority.business_name}}


def _presented(authorization: str | None, parameters: Mapping[str, str]) -> tuple[str, str]:
    in_body = parameters.get("access_token")
    if authorization is not None and in_body is not None:
        raise invalid_request("Send the token once: in the header or in the body.")
    scheme, _, token = (authorization or f"Bearer {in_body or ''}").partition(" ")
    if scheme.lower() not in {"bearer", "dpop"} or not token:
        raise OAuthError("invalid_token", "Send an access token.")
    return scheme.lower(), token.strip()


async def _require_binding(
    desk: Desk, call: Call, claims: dict[str, Any], scheme: str, token: str
) -> None:
    bound = claims.get("cnf", {})
    if "jkt" in bound:
        if scheme != "dpop":
            raise OAuthError("invalid_token", "The token is bound to a key; send it as DPoP.")
        if call.proof is None or await dpop.check(desk, call, token) != bound["jkt"]:
            raise OAuthError("invalid_token", "The DPoP proof is not by the key of the token.")
    elif scheme == "dpop":
        raise OAuthError("invalid_token", "The token is a bearer token.")
    shown = call.certificate.thumbprint if call.certificate is not None else None
    if "x5t#S256" in bound and shown != bound["x5t#S256"]:
        raise OAuthError("invalid_token", "The token is bound to another certificate.")
