"""The client credentials grant (RFC 6749 section 4.4) with private_key_jwt, free of any framework.

Owns what a token says. What it needs of the world comes as a `Storage` and a time.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sebalai_shared.ids import uuid7

from sebalai_identity.oauth import assertion, jose
from sebalai_identity.oauth.errors import OAuthError, invalid_client, invalid_request

GRANT = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_LIFETIME = timedelta(seconds=300)
TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068's media type
KIND = "system"


class Key(Protocol):
    """A public key and the names a client may call it by."""

    @property
    def names(self) -> frozenset[str]: ...
    @property
    def jwk(self) -> dict[str, Any]: ...


class Client(Protocol):
    """An application that may call now."""

    @property
    def client_id(self) -> UUID: ...
    @property
    def agency(self) -> str: ...
    @property
    def application(self) -> str: ...
    @property
    def scopes(self) -> frozenset[str]: ...
    @property
    def valid_until(self) -> datetime | None: ...
    @property
    def keys(self) -> tuple[Key, ...]: ...


class Storage(Protocol):
    def client(self, client_id: UUID, at: datetime) -> Awaitable[Client | None]:
        """None for unknown, suspended and ended alike."""
        ...

    def use_once(self, client_id: UUID, jti: str, expires_at: datetime) -> Awaitable[bool]:
        """False when the client has used this `jti` before."""
        ...

    def sign(self, claims: dict[str, Any], kind: str) -> Awaitable[str]: ...


@dataclass(frozen=True)
class Server:
    """Who we are: the issuer, and the one audience of our access tokens."""

    issuer: str
    audience: str


async def grant(
    server: Server, storage: Storage, parameters: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    """The body of a token answer. Raises `OAuthError`."""
    _require_grant(parameters)
    proof = jose.read(_required_assertion(parameters))
    claims = assertion.check(proof.claims, server.issuer, now)
    named = parameters.get("client_id")
    if named is not None and named != str(claims.client_id):
        raise invalid_client("client_id is another than the assertion's.")
    client = await _authenticated(storage, proof, claims.client_id, now)
    scopes = _scopes(parameters, client)
    _require_resource(parameters, server)
    if not await storage.use_once(claims.client_id, claims.jti, claims.expires_at):
        raise invalid_client("This jti was used before; sign a new assertion for each request.")
    return await _token(server, storage, client, scopes, now)


def _require_grant(parameters: Mapping[str, str]) -> None:
    wanted = parameters.get("grant_type")
    if wanted is None:
        raise invalid_request(f"grant_type is missing; send {GRANT}.")
    if wanted != GRANT:
        raise OAuthError("unsupported_grant_type", f"Only {GRANT} is served.")


def _required_assertion(parameters: Mapping[str, str]) -> str:
    if "client_secret" in parameters:
        raise invalid_client("There are no client secrets here; authenticate by private_key_jwt.")
    if parameters.get("client_assertion_type") != ASSERTION_TYPE:
        raise invalid_client(f"client_assertion_type must be {ASSERTION_TYPE}")
    found = parameters.get("client_assertion")
    if not found:
        raise invalid_client("client_assertion is missing.")
    return found


async def _authenticated(
    storage: Storage, proof: jose.Unverified, client_id: UUID, now: datetime
) -> Client:
    client = await storage.client(client_id, now)
    keys = client.keys if client is not None else ()
    candidates = [key for key in keys if proof.kid is None or proof.kid in key.names]
    if client is None or not any(jose.is_signed_by(proof, key.jwk) for key in candidates):
        # One answer for all three: whether a client exists is nobody's business.
        raise invalid_client("The client is not known, is suspended, or did not sign this.")
    return client


def _scopes(parameters: Mapping[str, str], client: Client) -> list[str]:
    if "scope" not in parameters:
        return sorted(client.scopes)
    asked = set(parameters["scope"].split(" "))
    if not asked <= client.scopes:
        raise OAuthError("invalid_scope", f"Granted are: {' '.join(sorted(client.scopes))}")
    return sorted(asked)


def _require_resource(parameters: Mapping[str, str], server: Server) -> None:
    if parameters.get("resource", server.audience) != server.audience:
        raise OAuthError("invalid_target", f"resource must be {server.audience}")


async def _token(
    server: Server, storage: Storage, client: Client, scopes: list[str], now: datetime
) -> dict[str, Any]:
    issued = int(now.timestamp())
    expires = issued + int(TOKEN_LIFETIME.total_seconds())
    if client.valid_until is not None:
        expires = min(expires, int(client.valid_until.timestamp()))
    scope = " ".join(scopes)
    claims: dict[str, Any] = {
        "iss": server.issuer,
        "aud": server.audience,
        "sub": str(client.client_id),
        "client_id": str(client.client_id),
        "jti": str(uuid7()),
        "iat": issued,
        "exp": expires,
        "scope": scope,
        "kind": KIND,
        "agency": client.agency,
        "application": client.application,
    }
    return {
        "access_token": await storage.sign(claims, TOKEN_TYPE),
        "token_type": "Bearer",
        "expires_in": expires - issued,
        "scope": scope,
    }
