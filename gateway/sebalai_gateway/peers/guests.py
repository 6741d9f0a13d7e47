"""Calls that come from another instance: its gateway signs them, and vouches for who calls there.

Nobody's token passes between instances: what is trusted is one key, for the offered interfaces
alone, until either operator ends it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from sebalai_shared import signatures
from sebalai_shared.signatures import Message, Signature, Unreadable

from sebalai_gateway.admission.faults import not_proven
from sebalai_gateway.admission.keys import public_key
from sebalai_gateway.admission.token import ActingFor, Claims
from sebalai_gateway.calls.headers import ACTING_FOR, BUSINESS_CLASS, PARTY, REPRESENTED
from sebalai_gateway.routing.snapshot import Peer
from sebalai_gateway.routing.table import Table
from sebalai_gateway.signatures.nonces import Nonces
from sebalai_gateway.signatures.profile import NONCE_LENGTHS, SKEW_SECONDS, WINDOW_SECONDS

TAG = "sebalai-peer"
COVERED = ("@method", "@path", "@query", "x-road-client", "x-road-id", "sebalai-purpose")
PARTY_COVERED = tuple(name.decode() for name in (PARTY, REPRESENTED, ACTING_FOR))
"""What is covered too where the call is made for a business."""
_DIGEST = b"content-digest"
_NUMBER = re.compile(rb"%s/([0-9]{13})\Z" % BUSINESS_CLASS)
_ID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_APPLICATION = re.compile(r"[A-Z]{2}-[A-Z]{2}/[A-Z]{3}/[a-z0-9-]{1,40}/[a-z0-9-]{1,40}\Z")


@dataclass(frozen=True, slots=True)
class Guest:
    """An application of another instance, as that one's gateway names it."""

    claims: Claims
    nonce: str
    until: float
    kid: str

    def check_still(self, table: Table) -> None:
        """That its instance has not lost the key it signed with. Raises: Refusal, 401."""
        peer = table.peer(self.claims.iss)
        if peer is None or _key(peer, self.kid) is None:
            raise not_proven(f"{self.claims.iss} has that key no longer")

    async def use(self, nonces: Nonces) -> None:
        """Once, at any gateway. Raises: Refusal, 401; StoreUnavailable."""
        if not await nonces.use(self.claims.client_id, self.nonce, self.until):
            raise not_proven("It was sent before")


def is_guest(message: Message) -> bool:
    """Whether it comes as a call of another instance; that it does is not shown by that."""
    return any(
        n == b"signature-input" and TAG.encode() in v for n, v in message.headers
    ) and not any(name == b"authorization" for name, _ in message.headers)


def recognise(
    message: Message,
    table: Table,
    client: str | None,
    *,
    has_body: bool,
    clock: Callable[[], float] = time.time,
) -> Guest:
    """Raises: Refusal, 401, when its instance is not named here or did not sign it."""
    if client is None or not _APPLICATION.match(client):
        raise not_proven("X-Road-Client names no application")
    instance = client.partition("/")[0]
    peer = table.peer(instance)
    if peer is None:
        raise not_proven(f"{instance} is not named here, or no longer")
    try:
        found = signatures.read(message.headers, TAG)
        if found is None:
            raise not_proven("It is not signed")
        base = signatures.base_of(found.components, found.inner, message)
    except Unreadable as error:
        raise not_proven(f"Its signature cannot be read: {error}") from None
    _check_terms(found, has_body=has_body, now=clock())
    if has_body and not any(n == _DIGEST and b"sha-256=:" in v for n, v in message.headers):
        raise not_proven("Its Content-Digest has no sha-256, so the body is not signed")
    key = _key(peer, found.text("keyid"))
    if key is None or not signatures.holds(key, found, base):
        raise not_proven(f"It is not signed by a key of {instance}")
    until = (found.created or 0) + 2 * WINDOW_SECONDS
    acting_for = _acting_for(instance, message, found)
    claims = _claims(instance, client, found.created or 0, acting_for)
    return Guest(claims, found.text("nonce"), until, found.text("keyid"))


def _check_terms(found: Signature, *, has_body: bool, now: float) -> None:
    wanted = [*COVERED, *(["content-digest"] if has_body else [])]
    lacking = [name for name in wanted if f'"{name}"' not in found.components]
    if lacking:
        raise not_proven(f"The signature does not cover {', '.join(lacking)}")
    created = found.created
    if created is None or not now - WINDOW_SECONDS <= created <= now + SKEW_SECONDS:
        raise not_proven("It was signed at another time")
    if len(found.text("nonce")) not in NONCE_LENGTHS:
        raise not_proven("Its nonce must have 16 to 128 characters")


def _acting_for(instance: str, message: Message, found: Signature) -> ActingFor | None:
    """The business that its instance says the call is made for, under that one's id and marked as
    such: it names none of ours. Raises: Refusal, 401, for what is not signed or not one business.
    """
    said = {n: [v for name, v in message.headers if name == n] for n in (PARTY, ACTING_FOR)}
    if not any(said.values()):
        return None
    lacking = [name for name in PARTY_COVERED if f'"{name}"' not in found.components]
    if lacking:
        raise not_proven(f"The signature does not cover {', '.join(lacking)}")
    party = _NUMBER.match(b", ".join(said[PARTY]))
    named = _ID.match(b", ".join(said[ACTING_FOR]))
    if party is None or named is None:
        raise not_proven("It does not name one business, by its number and its id there")
    return ActingFor(f"{instance}/{named[0].decode()}", party[1].decode(), "")


def _key(peer: Peer, kid: str) -> EllipticCurvePublicKey | None:
    for jwk in peer.keys:
        if jwk.get("kid") == kid:
            try:
                return public_key(jwk)
            except (ValueError, KeyError, TypeError):
                return None
    return None


def _claims(instance: str, client: str, created: int, acting_for: ActingFor | None) -> Claims:
    return Claims(
        iss=instance, aud="", sub=client, client_id=f"peer:{instance}", jti="", exp=0, iat=created,
        kind="system", agency=client.split("/")[2], application=client, scope="bus.call",
        acting_for=acting_for,
    )  # fmt: skip
