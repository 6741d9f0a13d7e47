"""The keys by which a gateway signs what it forwards, from its well-known address."""

from __future__ import annotations

import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sebalai_shared import http

PATH = "/.well-known/http-message-signatures-directory"
AGAIN_SECONDS = 10.0
KEYS_MAX = 20


class GatewayKeys:
    """Asked for again when an unknown key signs, at most every AGAIN_SECONDS."""

    def __init__(self, client: http.Client) -> None:
        self._client, self._asked_at = client, float("-inf")
        self._keys: dict[str, EllipticCurvePublicKey] = {}

    async def find(self, kid: str) -> EllipticCurvePublicKey | None:
        """Raises: http.Error, ValueError, when the gateway does not tell them."""
        if kid not in self._keys and time.monotonic() - self._asked_at >= AGAIN_SECONDS:
            self._asked_at = time.monotonic()
            answer = await self._client.fetch(PATH)
            self._keys = _read(answer.json())
        return self._keys.get(kid)


def _read(document: Any) -> dict[str, EllipticCurvePublicKey]:
    try:
        keys = [ECKey.import_key(jwk) for jwk in document["keys"][:KEYS_MAX]]
        return {key.thumbprint(): key.public_key for key in keys}
    except (JoseError, KeyError, TypeError) as error:
        msg = f"the gateway tells no keys: {error!r}"
        raise ValueError(msg) from error
