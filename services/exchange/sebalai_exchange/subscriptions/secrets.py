"""Signing secrets of webhooks, derived and never stored: `whsec_` of Standard Webhooks.

One root key; a subscription's secret of each generation follows from it by HKDF (RFC 5869).
Rotation raises the generation; the one before signs beside it until the overlap ends.
"""

import base64
import hmac
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES = 32
ROOT_BYTES_MIN = 32


class WebhookSecrets:
    def __init__(self, root: bytes) -> None:
        """Raises: ValueError when the root is too short to be a key."""
        if len(root) < ROOT_BYTES_MIN:
            raise ValueError(f"a root key has at least {ROOT_BYTES_MIN} bytes")
        self._root = root

    @classmethod
    def from_file(cls, path: Path) -> "WebhookSecrets":
        """Any private key file of exchange: the root is a digest of its bytes."""
        return cls(sha256(b"sebalai webhook root\n" + path.read_bytes()).digest())

    def secret(self, subscription: UUID, generation: int) -> bytes:
        info = f"sebalai webhook {subscription} {generation}".encode()
        return HKDF(SHA256(), SECRET_BYTES, salt=None, info=info).derive(self._root)


def spelled(secret: bytes) -> str:
    return "whsec_" + base64.b64encode(secret).decode()


def signature(secret: bytes, ident: str, timestamp: int, body: bytes) -> str:
    """`v1,…` of Standard Webhooks 1.0.0 over `id.timestamp.body`; `timestamp` in Unix seconds."""
    content = f"{ident}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, content, "sha256")).decode()
