"""Idempotency keys and sealed answers: what a key may be, what it stands for, who can open.

The key itself is never stored. It is part of the secret an answer is sealed under, so the database
alone, or with the gateway's key, opens nothing.
"""

from __future__ import annotations

import hashlib
import os
import re

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sebalai_gateway.refusals import Refusal

NONCE_BYTES = 12
# The draft's header is a structured string; most clients send the bare text.
_KEY = re.compile(r'(?:"[\x20\x21\x23-\x5b\x5d-\x7e]{1,255}"|[!#-+\--:<-~]{1,255})\Z')

Answered = tuple[list[tuple[bytes, bytes]], bytes]


def read_key(value: str) -> str:
    """The key inside the header. Raises: Refusal, 400."""
    if not _KEY.match(value):
        raise Refusal(
            400, "idempotency-key-malformed", "The Idempotency-Key cannot be read",
            "Send one key of 1 to 255 visible ASCII characters, a UUID for example.",
        )  # fmt: skip
    return value.strip('"')


def key_digest(consumer: str, interface: str, key: str) -> bytes:
    """What a key is looked up by: keys of others, and for other interfaces, are other keys."""
    return hashlib.sha256(f"{consumer}\0{interface}\0{key}".encode()).digest()


def head_digest(method: str, target: bytes, purpose: str) -> bytes:
    return hashlib.sha256(b"\0".join((method.encode(), target, purpose.encode()))).digest()


class Sealer:
    """Seals under a secret of the gateways and the consumer's own key."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def _cipher(self, digest: bytes, key: str) -> AESGCM:
        info = b"sebalai repeat v1\0" + key.encode()
        derived = HKDF(hashes.SHA256(), 32, salt=digest, info=info).derive(self._secret)
        return AESGCM(derived)

    def seal(self, digest: bytes, key: str, answered: Answered) -> bytes:
        headers, body = answered
        pairs = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]
        head = orjson.dumps(pairs)
        nonce = os.urandom(NONCE_BYTES)
        text = len(head).to_bytes(4) + head + body
        return nonce + self._cipher(digest, key).encrypt(nonce, text, digest)

    def open(self, digest: bytes, key: str, sealed: bytes) -> Answered | None:
        """None, when another secret sealed it."""
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            text = self._cipher(digest, key).decrypt(nonce, rest, digest)
        except InvalidTag:
            return None
        size = int.from_bytes(text[:4])
        pairs = orjson.loads(text[4 : 4 + size])
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
        return headers, text[4 + size :]
