"""Verifies access tokens locally (RFC 9068, wiring section 4).

Checks stand in the order of their price, so that garbage is cheap: size, shape, known key, then
the claims, the signature last. A verified token is cached by its SHA-256; what can change while it
lives (time, trust in its key) is checked on every use.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from sebalai_gateway.admission.compact import Malformed, json_object, unpadded
from sebalai_gateway.admission.faults import (
    bad_proof,
    bad_token,
    in_scheme_of_proofs,
    token_missing,
)
from sebalai_gateway.admission.keys import KeyStore
from sebalai_gateway.admission.proofs import ProofVerifier, Shown
from sebalai_gateway.admission.revoked import RevokedSet
from sebalai_gateway.admission.throttle import FailureThrottle
from sebalai_gateway.refusals import Refusal

TOKEN_BYTES_LIMIT = 8 * 1024
CACHE_TOKENS = 50_000
HEADERS_CACHED = 256
SKEW_SECONDS = 5
SIGNATURE_BYTES = 64
_NO_GUESS = frozenset({"token-expired", "token-revoked"})
KINDS = frozenset({"system", "citizen", "civil_servant", "business"})
_BINDINGS = frozenset({"jkt", "x5t#S256"})
_SCHEMES = frozenset({b"bearer", b"dpop"})
_NOTHING = Shown()
TYPES = frozenset({"at+jwt", "application/at+jwt"})
_FORBIDDEN = frozenset({"crit", "jwk", "jku", "x5u", "x5c", "b64", "zip"})
_ECDSA = ECDSA(hashes.SHA256())


class ActingFor(msgspec.Struct, frozen=True, gc=False):
    """The business that the person acts for: our id of it, its NIB, by which representation."""

    business: str
    nib: str
    representation: str
    matters: tuple[str, ...] | None = None


class Claims(msgspec.Struct, frozen=True, gc=False):
    """What a token says of its bearer; `agency` and `application` are empty for persons.

    `sid`, `posting` and `rjti` (the grant it stems from) are names it can be revoked by.
    `acr` is how surely a person was recognised (`urn:sebalai:acr:1` to `3`; empty for a system).
    """

    iss: str
    aud: str
    sub: str
    client_id: str
    jti: str
    exp: int
    iat: int
    kind: str
    agency: str = ""
    application: str = ""
    scope: str = ""
    nbf: int = 0
    sid: str = ""
    posting: str = ""
    rjti: str = ""
    auth_time: int = 0
    purpose: str = ""
    interface: str = ""
    cnf: dict[str, str] = {}
    act: dict[str, Any] | None = None
    acr: str = ""
    acting_for: ActingFor | None = None


_CLAIMS = msgspec.json.Decoder(Claims)


class _Verified(NamedTuple):
    """A token whose signature was checked, and what is asked of it again at every use: the time
    in which it is good, and the names it can be revoked by.
    """

    claims: Claims
    begins: int
    ends: int
    names: tuple[str, ...]


class TokenVerifier:
    def __init__(
        self,
        issuer: str,
        audience: str,
        keys: KeyStore,
        clock: Callable[[], float] = time.time,
        revoked: RevokedSet | None = None,
        proofs: ProofVerifier | None = None,
    ) -> None:
        self._proofs = proofs
        self._issuer, self._audience, self._keys, self._clock = issuer, audience, keys, clock
        self.revoked = RevokedSet(clock) if revoked is None else revoked
        # Ordered: the first of a dict that is always full lies behind all that were dropped before.
        self._cache: OrderedDict[bytes, _Verified] = OrderedDict()
        self._headers: dict[bytes, str] = {}
        self._generation = keys.generation
        self._throttle = FailureThrottle(clock)
        # Apart: a call without a token is no guess, and slows no one who has one.
        self._strangers = FailureThrottle(clock)

    def verify(self, authorization: bytes | None, source: str, shown: Shown = _NOTHING) -> Claims:
        """The claims of the token. `source` is the peer's address, for the throttle; `shown` what
        proves the holder of a token that is bound to a key or a certificate.

        Raises:
            Refusal: 401 with the reason as its slug; 429 for a source of many bad tokens.
        """
        try:
            scheme, token = _presented(authorization)
        except Refusal:
            self.note_stranger(source)
            raise
        try:
            claims = self._known(token, source)
            if claims.cnf or scheme == b"dpop":
                self._check_holder(claims, scheme, token, shown)
        except Refusal as refusal:
            raise (in_scheme_of_proofs(refusal) if scheme == b"dpop" else refusal) from None
        return claims

    def check_still(self, authorization: bytes | None, source: str) -> None:
        """Of a token that was taken: that it has not ended since. Raises: Refusal, 401."""
        scheme, token = _presented(authorization)
        try:
            self._known(token, source)
        except Refusal as refusal:
            raise (in_scheme_of_proofs(refusal) if scheme == b"dpop" else refusal) from None

    def note_stranger(self, source: str) -> None:
        """Counts a call that is refused before anybody is known by it: each is journalled, and
        nobody may fill the journal. Raises: Refusal, 429.
        """
        self._strangers.check(source)
        self._strangers.note(source)

    def _check_holder(self, claims: Claims, scheme: bytes, token: bytes, shown: Shown) -> None:
        """Outside the cache: a bound token is proven at every use."""
        if not claims.cnf.keys() <= _BINDINGS:
            raise bad_token("token-binding", "The token is bound in a way that is not known here.")
        jkt, certificate = claims.cnf.get("jkt"), claims.cnf.get("x5t#S256")
        if (jkt is not None) != (scheme == b"dpop"):
            raise bad_proof("Send a bound token as DPoP with its proof, and no other so.")
        if certificate is not None and certificate != shown.certificate:
            raise bad_token("token-binding", "The token is bound to another client certificate.")
        if jkt is None:
            return
        if self._proofs is None or self._proofs.thumbprint(shown, token) != jkt:
            raise bad_proof("The proof is by another key than the token's.")

    def _known(self, token: bytes, source: str) -> Claims:
        digest = hashlib.sha256(token).digest()
        if self._generation != self._keys.generation:
            self._cache.clear()
            self._generation = self._keys.generation
        known = self._cache.get(digest)
        if known is None:
            known = self._first(token, digest, source)
        # Outside the cache: what was good a second ago may have ended or be revoked now.
        claims, begins, ends, names = known
        if not begins <= self._clock() < ends:
            self._check_times(claims)
        if self.revoked.names_any(names):
            self._check_revoked(claims, names)
        return claims

    def _first(self, token: bytes, digest: bytes, source: str) -> _Verified:
        self._throttle.check(source)
        try:
            known = _verified(*self._verify(token))
        except Refusal as refusal:
            # An old token is no guess: one application that forgot to renew must not lock out
            # all others behind the same address.
            if refusal.slug not in _NO_GUESS:
                self._throttle.note(source)
            raise
        if len(self._cache) >= CACHE_TOKENS:
            self._cache.popitem(last=False)
        self._cache[digest] = known
        return known

    def _check_revoked(self, claims: Claims, names: tuple[str, ...]) -> None:
        if any(self.revoked.covers(name, claims.iat) for name in names):
            raise bad_token("token-revoked", "The token was revoked; get a new one.")

    def _verify(self, token: bytes) -> tuple[Claims, str]:
        parts = token.split(b".")
        if len(parts) != 3:
            raise bad_token("token-malformed", "An access token has three parts.")
        kid = self._headers.get(parts[0]) or self._read_header(parts[0])
        key = self._keys.get(kid)
        if key is None:
            raise bad_token("token-key-unknown", "The token was signed by no key of ours.")
        signature = _decode(parts[2])
        if len(signature) != SIGNATURE_BYTES:
            raise bad_token("token-signature", "The signature has another length; get a new token.")
        claims = self._read_claims(parts[1])
        self._check_claims(claims)
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        try:
            key.verify(encode_dss_signature(r, s), token[: token.rindex(b".")], _ECDSA)
        except InvalidSignature:
            raise bad_token("token-signature", "The signature is wrong; get a new token.") from None
        # Only now: before it, anybody could fill the memo with headers of his own.
        if len(self._headers) < HEADERS_CACHED:
            self._headers[parts[0]] = kid
        return claims, kid

    def _read_header(self, part: bytes) -> str:
        header = _object(_decode(part))
        kid = header.get("kid")
        if header.get("alg") != "ES256":
            raise bad_token("token-algorithm", "Only ES256 tokens of the issuer are taken.")
        if str(header.get("typ", "")).lower() not in TYPES:
            raise bad_token("token-type", "This is not an access token (typ at+jwt).")
        if not isinstance(kid, str) or _FORBIDDEN & header.keys():
            raise bad_token("token-malformed", "The token's header holds what it must not.")
        return kid

    def _read_claims(self, part: bytes) -> Claims:
        body = _decode(part)
        _object(body)
        try:
            return _CLAIMS.decode(body)
        except msgspec.DecodeError as error:
            raise bad_token("token-malformed", "The token's claims are incomplete.") from error

    def _check_claims(self, claims: Claims) -> None:
        if claims.iss != self._issuer:
            raise bad_token("token-issuer", f"Get a token from {self._issuer}.")
        if claims.aud != self._audience:
            raise bad_token("token-audience", f"Ask for a token for {self._audience}.")
        if claims.kind == "system" and not (claims.agency and claims.application):
            raise bad_token("token-malformed", "The token's claims are incomplete.")
        if claims.kind == "business" and claims.acting_for is None:
            raise bad_token("token-malformed", "The token's claims are incomplete.")
        if claims.kind not in KINDS:
            raise bad_token("token-kind", "The token is of a kind that is not known here.")
        self._check_times(claims)

    def _check_times(self, claims: Claims) -> None:
        now = self._clock()
        # No allowance here: the end may be that of a posting, which acts no second longer.
        if now >= claims.exp:
            raise bad_token("token-expired", "The token has expired; get a new one.")
        if now < claims.nbf - SKEW_SECONDS or now < claims.iat - SKEW_SECONDS:
            raise bad_token("token-not-yet-valid", "The token begins later; check your clock.")


def _verified(claims: Claims, kid: str) -> _Verified:
    names = [f"cli.{claims.client_id}", f"sub.{claims.sub}", f"jti.{claims.jti}", f"kid.{kid}"]
    if claims.rjti:
        names.append(f"jti.{claims.rjti}")
    if claims.sid:
        names.append(f"sid.{claims.sid}")
    if claims.posting:
        names.append(f"pst.{claims.posting}")
    if claims.acting_for is not None:
        names.append(f"rep.{claims.acting_for.representation}")
    begins = max(claims.nbf, claims.iat) - SKEW_SECONDS
    return _Verified(claims, begins, claims.exp, tuple(names))


def _presented(authorization: bytes | None) -> tuple[bytes, bytes]:
    if authorization is None:
        raise token_missing()
    scheme, _, token = authorization.partition(b" ")
    if scheme == b"Bearer" and token and len(token) <= TOKEN_BYTES_LIMIT:
        return b"bearer", token.strip()
    scheme = scheme.lower()
    if scheme not in _SCHEMES or not token or len(token) > TOKEN_BYTES_LIMIT:
        raise bad_token("token-malformed", "Send one bearer token of ordinary size.")
    return scheme, token.strip()


def _decode(part: bytes) -> bytes:
    try:
        return unpadded(part)
    except Malformed:
        raise bad_token("token-malformed", "A part of the token is not base64url.") from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        return json_object(body)
    except Malformed:
        raise bad_token("token-malformed", "A part of the token is not a JSON object.") from None
