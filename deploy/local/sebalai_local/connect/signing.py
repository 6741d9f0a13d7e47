"""Signs messages as the profile `sebalai-r1` asks (r1, section 4b), and keeps what proves them."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import urlsplit

from joserfc.jwk import ECKey
from sebalai_shared import signatures
from sebalai_shared.clock import SystemClock
from sebalai_shared.signatures import Headers, Message, Signed, Terms

from sebalai_local.failures import Failure

TAG, LABEL = "sebalai-r1", "sebalai"
FORMAT = "sebalai-signed-exchange/1"
NONCE_BYTES = 16
_PREFIXES = ("x-road-", "sebalai-")
_NAMED = ("idempotency-key", "upload-offset", "upload-length", "repr-digest")


def content_digest(body: bytes) -> bytes:
    """A Content-Digest by SHA-256 (RFC 9530)."""
    return b"sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()) + b":"


class MessageSigner:
    """Signs with one application's key, named by its thumbprint."""

    def __init__(self, key: ECKey) -> None:
        """Raises: Failure, for a public key."""
        if key.private_key is None:
            raise Failure("The key is a public one.", "Name the file of the private key.")
        self._key, self._kid = key.private_key, key.thumbprint()

    def _terms(self, nonce: str = "") -> Terms:
        now = int(SystemClock().now().timestamp())
        return Terms(LABEL, self._kid, now, TAG, nonce)

    def request(self, method: str, target: str, headers: Headers) -> Signed:
        """`target` is path and query as sent; names in `headers` are in lower case, and a body's
        Content-Digest is among them.
        """
        parts = urlsplit(target)
        names = list(dict.fromkeys(name.decode() for name, _ in headers))
        told = [name for name in names if name.startswith(_PREFIXES) or name in _NAMED]
        digest = ["content-digest"] if "content-digest" in names else []
        covered = ["@method", "@path", "@query", *told, *digest]
        message = Message(headers, method, parts.path, parts.query)
        return signatures.sign(
            self._key, covered, self._terms(secrets.token_urlsafe(NONCE_BYTES)), message
        )

    def answer(self, status: int, headers: Headers, message_id: str) -> Signed:
        """Binds the answer to the call the gateway numbered `message_id`."""
        digest = [name.decode() for name, _ in headers if name == b"content-digest"]
        covered = ["@status", "x-road-request-id;req", *digest]
        asked = Message([(b"x-road-request-id", message_id.encode())])
        message = Message(headers, status=status)
        return signatures.sign(self._key, covered, self._terms(), message, asked)


def exchange(request: Signed, status: int, headers: Headers, message_id: str) -> str:
    """What `sebalai-verify --exchange` reads: both bases with their signatures, if both signed."""
    document: dict[str, Any] = {"format": FORMAT, "request": _side(request), "response": None}
    found = signatures.read(headers, TAG)
    if found is not None:
        asked = Message([(b"x-road-request-id", message_id.encode())])
        message = Message(headers, status=status)
        base = signatures.base_of(found.components, found.inner, message, asked)
        document["response"] = _document(base, found.value)
    return json.dumps(document, indent=1) + "\n"


def _side(signed: Signed) -> dict[str, str]:
    found = signatures.read(signed.headers, TAG)
    return _document(signed.base, found.value if found else b"")


def _document(base: bytes, value: bytes) -> dict[str, str]:
    return {
        "base": base.decode("ascii"),
        "signature": base64.urlsafe_b64encode(value).decode().rstrip("="),
    }
