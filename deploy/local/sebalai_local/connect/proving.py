"""DPoP proofs (RFC 9449) for a client whose tokens are bound to its key."""

from __future__ import annotations

import base64
import hashlib

from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_shared.clock import SystemClock
from sebalai_shared.ids import uuid7


class Prover:
    """`nonce` is what the server asked for last."""

    def __init__(self, key: ECKey) -> None:
        self._key, self.nonce = key, ""

    def proof(self, method: str, url: str, token: str = "") -> str:
        """`url` without its query; `token` where one is shown."""
        claims: dict[str, object] = {
            "jti": str(uuid7()),
            "htm": method,
            "htu": url.partition("?")[0],
            "iat": int(SystemClock().now().timestamp()),
        }
        if token:
            digest = hashlib.sha256(token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if self.nonce:
            claims["nonce"] = self.nonce
        public = {name: self._key.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}
        header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": public}
        return jwt.encode(header, claims, self._key)
