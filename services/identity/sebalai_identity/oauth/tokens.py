"""What our tokens say: access tokens (RFC 9068), ID tokens (OpenID Connect Core 2), subjects.

No name, no NIK and no NIP in any of them; of a business its NIB, which is public. An
access token never outlives the authority it stands on.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sebalai_shared.ids import uuid7

from sebalai_identity.applications.actions import KnownClient
from sebalai_identity.oauth import jose
from sebalai_identity.oauth.desk import Desk
from sebalai_identity.oauth.errors import OAuthError
from sebalai_identity.revocations.actions import is_revoked

LIFETIME = timedelta(seconds=300)
ACCESS = "at+jwt"
PAIRWISE = "pairwise-subject-1"

# Claims of the register of persons that each scope opens (OpenID Connect Core 5.4).
SCOPE_CLAIMS = {
    "profile": frozenset({"name", "preferred_username", "birthdate", "updated_at"}),
    "email": frozenset({"email", "email_verified"}),
    "phone": frozenset({"phone_number", "phone_number_verified"}),
    "address": frozenset({"address"}),
}


@dataclass(frozen=True)
class Binding:
    """What a token is bound to (RFC 9449, RFC 8705); neither makes it a bearer token."""

    jkt: str | None = None
    certificate: str | None = None

    @property
    def claim(self) -> dict[str, str]:
        bound = {"jkt": self.jkt, "x5t#S256": self.certificate}
        return {name: value for name, value in bound.items() if value is not None}

    @property
    def token_type(self) -> str:
        return "DPoP" if self.jkt else "Bearer"


def subject_for(desk: Desk, client: KnownClient, person: UUID) -> str:
    """The person's id, or for a pairwise client one that its sector alone knows (Core 8.1)."""
    if not client.settings.is_pairwise:
        return str(person)
    text = f"{client.settings.sector}\x00{person}".encode()
    mac = hmac.digest(desk.ring.secret(PAIRWISE), text, "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def hidden_person(desk: Desk, client: KnownClient, person: UUID) -> str | None:
    """For a pairwise client's tokens: the person, sealed, so that we alone find them again."""
    if not client.settings.is_pairwise:
        return None
    return base64.urlsafe_b64encode(desk.ring.seal(person.bytes, PAIRWISE)).decode()


def person_of(desk: Desk, claims: dict[str, Any]) -> UUID:
    hidden = claims.get("person")
    if hidden is None:
        return UUID(claims["sub"])
    return UUID(bytes=desk.ring.open(base64.urlsafe_b64decode(hidden), PAIRWISE))


async def access_token(
    desk: Desk, claims: dict[str, Any], binding: Binding, expires_at: datetime
) -> dict[str, Any]:
    """The token answer. `claims` without those that every token has."""
    issued, expires = int(desk.now.timestamp()), int(expires_at.timestamp())
    whole = {
        "iss": desk.server.issuer,
        "aud": desk.server.audience,
        "jti": str(uuid7()),
        "iat": issued,
        "exp": expires,
    } | {name: value for name, value in claims.items() if value is not None}
    if binding.claim:
        whole["cnf"] = binding.claim
    return {
        "access_token": await desk.ring.sign(desk.session, whole, ACCESS),
        "token_type": binding.token_type,
        "expires_in": expires - issued,
        "scope": claims["scope"],
    }


async def id_token(desk: Desk, client: KnownClient, content: dict[str, Any], access: str) -> str:
    now = int(desk.now.timestamp())
    claims: dict[str, Any] = {
        "iss": desk.server.issuer,
        "sub": subject_for(desk, client, UUID(content["subject"])),
        "aud": str(client.client_id),
        "iat": now,
        "exp": now + int(LIFETIME.total_seconds()),
        "auth_time": content["auth_time"],
        "acr": content["acr"],
        "amr": content["amr"],
        "sid": content["sid"],
        "nonce": content.get("nonce"),
        "acting_for": content.get("acting_for"),
        "at_hash": _half_hash(access),
    }
    asked = frozenset((content.get("claims") or {}).get("id_token") or {})
    known = await desk.person_claims(UUID(content["subject"]), asked)
    whole = known | {name: value for name, value in claims.items() if value is not None}
    algorithm = client.settings.id_token_algorithm
    return await desk.ring.sign(desk.session, whole, "JWT", algorithm)


def _half_hash(token: str) -> str:
    digest = hashlib.sha256(token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def claims_of_scopes(scopes: frozenset[str]) -> frozenset[str]:
    opened = (SCOPE_CLAIMS.get(scope, frozenset[str]()) for scope in scopes)
    return frozenset().union(*opened)


def _bad(description: str) -> OAuthError:
    return OAuthError("invalid_token", description)


OWN = jose.Expected(
    "The access token", frozenset({"at+jwt"}), frozenset({"alg", "typ", "kid"}), _bad
)


async def read_access_token(desk: Desk, token: str) -> dict[str, Any]:
    """The claims of our own living, unrevoked access token. Raises `OAuthError` invalid_token."""
    read = jose.read(token, OWN)
    key = await desk.ring.public_key(desk.session, read.kid or "")
    claims = read.claims
    if key is None or not jose.is_signed_by(read, key):
        raise _bad("The token was signed by no key of ours.")
    if claims.get("iss") != desk.server.issuer or claims.get("exp", 0) <= desk.now.timestamp():
        raise _bad("The token has expired; get a new one.")
    if await is_revoked(desk.session, claims):
        raise _bad("The token was revoked; get a new one.")
    return claims
