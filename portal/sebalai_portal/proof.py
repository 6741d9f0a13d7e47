"""What the portal proves itself by to identity (private_key_jwt): the one key it has. What it seals
with comes of the same key, so that every process of the portal opens what another has sealed.
"""

from __future__ import annotations

import base64
import hmac
import json
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7

from sebalai_portal.settings import PortalSettings

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60


class Proof:
    """Raises OSError or ValueError when the key cannot be read."""

    def __init__(self, settings: PortalSettings, clock: Clock) -> None:
        self.client_id = settings.client_id
        self._issuer, self._clock = settings.public_url, clock
        self._key = _read_key(settings.client_key_file)

    def fields(self) -> dict[str, str]:
        """The fields of a form that prove who sends it, once."""
        return {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(int(self._clock.now().timestamp())),
        }

    def secret(self, purpose: str) -> bytes:
        """32 bytes for one purpose alone; another key makes others."""
        text = str(self._key.as_dict(private=True)["d"])
        private = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return hmac.digest(private, purpose.encode(), "sha256")

    def _assertion(self, issued_at: int) -> str:
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self._issuer,
            "jti": str(uuid7()),
            "iat": issued_at,
            "exp": issued_at + ASSERTION_SECONDS,
        }
        kid = str(self._key.kid or self._key.thumbprint())
        return jwt.encode({"alg": "ES256", "kid": kid}, claims, self._key)


def _read_key(path: Path) -> ECKey:
    return ECKey.import_key(json.loads(path.read_text(encoding="utf-8")))
