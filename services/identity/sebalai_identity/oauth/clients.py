"""Client authentication: private_key_jwt (RFC 7523), a certificate through the edge (RFC 8705), or
none for a public client, whose codes PKCE protects and whose tokens DPoP binds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_identity.applications.actions import KnownClient, usable_client
from sebalai_identity.oauth import assertion, certificates, jose, store
from sebalai_identity.oauth.certificates import Certificate
from sebalai_identity.oauth.client_keys import renewed
from sebalai_identity.oauth.desk import Desk
from sebalai_identity.oauth.dpop import Call
from sebalai_identity.oauth.errors import OAuthError, invalid_client
from sebalai_identity.registrations.actions import waiting_client

PRIVATE_KEY = "private_key_jwt"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# One answer for all: whether a client exists is nobody's business.
UNKNOWN = "The client is not known, is suspended, or did not prove itself."
UNAPPROVED = {
    "requested": "The registration waits for approval by another person.",
    "refused": "The registration was refused; read its reason at its registration_client_uri.",
}


@dataclass(frozen=True)
class Proven:
    """A client that proved itself. `certificate`: the thumbprint its tokens are bound to."""

    client: KnownClient
    certificate: str | None = None


async def authenticate(desk: Desk, parameters: Mapping[str, str], call: Call) -> Proven:
    """Raises `OAuthError` invalid_client. An assertion is used up even if what follows fails."""
    if "client_secret" in parameters:
        raise invalid_client("There are no client secrets here; authenticate by private_key_jwt.")
    shown = call.certificate
    thumbprint = shown.thumbprint if shown is not None else None
    if "client_assertion" in parameters or "client_assertion_type" in parameters:
        return Proven(await _by_assertion(desk, parameters), thumbprint)
    client = await _named(desk, parameters, shown)
    if client.settings.kind == "public":
        return Proven(client)
    if shown is None:
        raise invalid_client(UNKNOWN)
    return Proven(await _by_certificate(desk, client, shown), thumbprint)


async def _named(
    desk: Desk, parameters: Mapping[str, str], shown: Certificate | None = None
) -> KnownClient:
    client_id = as_id(parameters.get("client_id"))
    if client_id is None:
        raise invalid_client("client_assertion is missing.")
    client = await usable_client(desk.session, client_id=client_id, at=desk.now)
    if client is None:
        raise await _unusable(desk, client_id, shown)
    return client


async def _unusable(
    desk: Desk, client_id: UUID, proof: jose.Unverified | Certificate | None
) -> OAuthError:
    """A client that registered itself is told where it stands, once it has proved itself as far as
    its kind can.
    """
    waiting = await waiting_client(desk.session, client_id=client_id)
    if waiting is None:
        return invalid_client(UNKNOWN)
    if proof is None:
        is_proven = waiting.client.kind == "public"
    elif isinstance(proof, Certificate):
        is_proven = certificates.proves(waiting.client, proof, desk.authorities, desk.now)
    else:
        is_proven = any(jose.is_signed_by(proof, key.material()) for key in waiting.keys)
    if not is_proven:
        return invalid_client(UNKNOWN)
    return OAuthError("unauthorized_client", UNAPPROVED[waiting.state])


async def _by_certificate(desk: Desk, client: KnownClient, shown: Certificate) -> KnownClient:
    if client.settings.authentication == PRIVATE_KEY:
        raise invalid_client(UNKNOWN)

    def is_its_own(client: KnownClient) -> bool:
        return certificates.proves(client.settings, shown, desk.authorities, desk.now)

    found = await _known_by(desk, client, is_its_own)
    if found is None:
        raise invalid_client(UNKNOWN)
    return found


def as_id(text: str | None) -> UUID | None:
    try:
        found = UUID(text or "")
    except ValueError:
        return None
    return found if str(found) == text else None


async def _by_assertion(desk: Desk, parameters: Mapping[str, str]) -> KnownClient:
    if parameters.get("client_assertion_type") != ASSERTION_TYPE:
        raise invalid_client(f"client_assertion_type must be {ASSERTION_TYPE}")
    proof = jose.read(parameters.get("client_assertion", ""))
    claims = assertion.check(proof.claims, desk.server.issuer, desk.now)
    if parameters.get("client_id", str(claims.client_id)) != str(claims.client_id):
        raise invalid_client("client_id is another than the assertion's.")
    client = await usable_client(desk.session, client_id=claims.client_id, at=desk.now)
    if client is None:
        raise await _unusable(desk, claims.client_id, proof)
    if client.settings.authentication not in (None, PRIVATE_KEY):
        raise invalid_client(UNKNOWN)
    signer = await signer_of(desk, client, proof)
    if signer is None:
        raise invalid_client(UNKNOWN)
    await _use_up(desk, claims.client_id, claims.jti, claims.expires_at)
    return signer


async def signer_of(desk: Desk, client: KnownClient, token: jose.Unverified) -> KnownClient | None:
    """The client if it has signed."""
    return await _known_by(desk, client, lambda client: has_signed(client, token))


async def _known_by(
    desk: Desk, client: KnownClient, proves: Callable[[KnownClient], bool]
) -> KnownClient | None:
    """The client if what we know of it proves it; its keys are read anew where nothing known does,
    and now and then: a leaked key is taken off `jwks_uri`, and nobody comes by another to tell us.
    """
    if proves(client):
        if client.settings.jwks_uri is None or not desk.documents.is_stale(
            client.client_id, desk.now
        ):
            return client
        client = await renewed(desk, client) or client
        return client if proves(client) else None
    fresh = await renewed(desk, client)
    return fresh if fresh is not None and proves(fresh) else None


def has_signed(client: KnownClient, token: jose.Unverified) -> bool:
    """By the key it names, or any of the client's where it names none."""
    candidates = [key for key in client.keys if token.kid is None or token.kid in key.names]
    return any(jose.is_signed_by(token, key.jwk) for key in candidates)


async def _use_up(desk: Desk, client_id: UUID, jti: str, expires_at: datetime) -> None:
    if not await store.use_once(desk.session, str(client_id), jti, expires_at):
        raise invalid_client("This jti was used before; sign a new assertion for each request.")


def require_grant(proven: Proven, grant: str, allowed: frozenset[str]) -> None:
    if grant not in allowed:
        kind = proven.client.settings.kind
        raise OAuthError("unauthorized_client", f"This client of kind {kind} may not use {grant}.")
