"""DPoP proofs at the gateway (RFC 9449 section 7): whoever shows a bound token holds its key.

Nonces follow from a secret that every gateway process derives from the same key, and from the time;
nothing is stored but the proofs used within their two periods, per process and bounded.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from sebalai_gateway.admission.compact import Malformed, json_object, unpadded
from sebalai_gateway.admission.faults import bad_proof, nonce_wanted
from sebalai_gateway.admission.keys import public_key

PROOF_BYTES_LIMIT = 4 * 1024
PERIOD_SECONDS = 60
SKEW_SECONDS = 30
USED_LIMIT = 200_000
KEYS_CACHED = 10_000
JTI_LENGTH_MAX = 128
HEADER_MEMBERS = frozenset({"alg", "typ", "jwk"})
KEY_MEMBERS = frozenset({"kty", "crv", "x", "y", "kid", "alg", "use"})
_ECDSA = ECDSA(hashes.SHA256())


class Shown(msgspec.Struct, frozen=True):
    """What came with a token: the request it is used for, the proof, the client's certificate."""

    method: str = ""
    path: str = ""
    proof: bytes | None = None
    certificate: str | None = None


class ProofVerifier:
    def __init__(
        self,
        secret: bytes,
        public_url: str,
        clock: Callable[[], float] = time.time,
        mtls_url: str = "",
    ) -> None:
        self._secret, self._public_url, self._clock = secret, public_url, clock
        self._mtls_url = mtls_url or public_url
        self._used: tuple[set[bytes], set[bytes]] = (set(), set())
        self._period = 0
        self._keys: dict[bytes, tuple[EllipticCurvePublicKey, str]] = {}

    def nonce(self, periods_back: int = 0) -> str:
        period = int(self._clock()) // PERIOD_SECONDS - periods_back
        mac = hmac.digest(self._secret, b"dpop-nonce" + str(period).encode(), "sha256")
        return base64.urlsafe_b64encode(mac[:18]).decode()

    def thumbprint(self, shown: Shown, token: bytes) -> str:
        """Of the key that signed the proof for this very request and token.

        Raises:
            Refusal: 401, with a nonce where that is what is missing.
        """
        if shown.proof is None or len(shown.proof) > PROOF_BYTES_LIMIT:
            raise bad_proof("Send one DPoP proof of ordinary size with the token.")
        try:
            head, body, mark = shown.proof.split(b".")
            header, claims = json_object(unpadded(head)), json_object(unpadded(body))
            signature = unpadded(mark)
            key, thumbprint = self._key(header)
        except (Malformed, ValueError, KeyError, TypeError):
            raise bad_proof("The proof is not a DPoP proof by an ES256 key.") from None
        self._check_claims(claims, shown, token)
        try:
            r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
            key.verify(encode_dss_signature(r, s), head + b"." + body, _ECDSA)
        except InvalidSignature:
            raise bad_proof("The proof is not signed by its own key.") from None
        self._use(thumbprint, claims["jti"])
        return thumbprint

    def _key(self, header: dict[str, Any]) -> tuple[EllipticCurvePublicKey, str]:
        jwk = header.get("jwk")
        if not isinstance(jwk, dict) or (
            header.get("alg") != "ES256"
            or str(header.get("typ", "")).lower() != "dpop+jwt"
            or not header.keys() <= HEADER_MEMBERS
            or not jwk.keys() <= KEY_MEMBERS
            or (jwk.get("kty"), jwk.get("crv")) != ("EC", "P-256")
        ):
            raise Malformed
        x, y = jwk["x"], jwk["y"]
        canonical = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()
        known = self._keys.get(canonical)
        if known is None:
            digest = hashlib.sha256(canonical).digest()
            thumbprint = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if len(self._keys) >= KEYS_CACHED:
                self._keys.pop(next(iter(self._keys)))
            known = self._keys[canonical] = (public_key(jwk), thumbprint)
        return known

    def _check_claims(self, claims: dict[str, Any], shown: Shown, token: bytes) -> None:
        jti, iat, htu = claims.get("jti"), claims.get("iat"), claims.get("htu")
        if not isinstance(jti, str) or not 0 < len(jti) <= JTI_LENGTH_MAX:
            raise bad_proof(f"jti must be a text of 1 to {JTI_LENGTH_MAX} characters.")
        base = self._public_url if shown.certificate is None else self._mtls_url
        wanted = base + shown.path
        if claims.get("htm") != shown.method or not _is_same(htu, wanted):
            raise bad_proof(f"htm and htu must be {shown.method} and the address of this call.")
        ath = base64.urlsafe_b64encode(hashlib.sha256(token).digest()).rstrip(b"=").decode()
        if claims.get("ath") != ath:
            raise bad_proof("ath must be the hash of the access token.")
        if isinstance(iat, bool) or not isinstance(iat, int | float):
            raise bad_proof("iat must be a number of seconds.")
        now = self._clock()
        if not now - 2 * PERIOD_SECONDS - SKEW_SECONDS <= iat <= now + SKEW_SECONDS:
            raise bad_proof("iat lies too far from our time; set the clock of the machine.")
        if claims.get("nonce") not in (self.nonce(), self.nonce(1)):
            raise nonce_wanted(self.nonce())

    def _use(self, thumbprint: str, jti: str) -> None:
        """A nonce is good for two periods, so two sets of used proofs are enough."""
        period = int(self._clock()) // PERIOD_SECONDS
        if period != self._period:
            before = self._used[0] if period == self._period + 1 else set[bytes]()
            self._used, self._period = (set(), before), period
        mark = hashlib.sha256(f"{thumbprint}\x00{jti}".encode()).digest()[:16]
        present, before = self._used
        if mark in present or mark in before:
            raise bad_proof("This proof was used before; sign a new one for each request.")
        if len(present) >= USED_LIMIT:
            # Forgetting some would let them be used again.
            raise bad_proof("Too many proofs at a time; try again in a minute.")
        present.add(mark)


def _is_same(htu: object, wanted: str) -> bool:
    if not isinstance(htu, str):
        return False
    return htu == wanted or _normal(htu) == _normal(wanted)


def _normal(url: str) -> tuple[str, str | None, int | None, str]:
    try:
        parts = urlsplit(url)
        usual = {"https": 443, "http": 80}.get(parts.scheme)
        found = (parts.scheme, parts.hostname, parts.port or usual, parts.path)
    except ValueError:
        return "", None, None, url
    return found
