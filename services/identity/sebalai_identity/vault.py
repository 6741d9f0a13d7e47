"""Keeps NIK, NIP and NIB so that the database alone tells none of them.

Each number lies sealed (AES-256-GCM, bound to its row) and beside it a keyed hash to find it by.
Both keys come out of the sealing key by HKDF, so neither is the key of the signing ring.
Owns the form at rest. Does not own who may see or find a number: slices do.
"""

import base64
import hashlib
import hmac
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sebalai_identity.keys.sealing import KEY_BYTES, Sealer

SEAL_PURPOSE = b"sebalai identity: numbers at rest, v1"
INDEX_PURPOSE = b"sebalai identity: numbers to find, v1"
KEY_ID_CHARACTERS = 16


class NumberVault:
    def __init__(self, key: bytes) -> None:
        """`key` is the sealing key. Raises `ValueError` unless it has KEY_BYTES bytes."""
        if len(key) != KEY_BYTES:
            msg = f"the sealing key must be {KEY_BYTES} random bytes, base64url"
            raise ValueError(msg)
        sealing = _derived(key, SEAL_PURPOSE)
        self._sealer, self._index_key = Sealer(sealing), _derived(key, INDEX_PURPOSE)
        self.key_id = hashlib.sha256(sealing).hexdigest()[:KEY_ID_CHARACTERS]
        """Stands beside what was sealed, so that a later key can tell what is not yet its own."""

    @classmethod
    def from_file(cls, path: Path) -> "NumberVault":
        text = path.read_text(encoding="ascii").strip()
        return cls(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))

    def index(self, kind: str, number: str) -> bytes:
        """32 bytes, the same for the same number; of no use without the key."""
        return hmac.digest(self._index_key, f"{kind}:{number}".encode(), hashlib.sha256)

    def seal(self, number: str, place: str) -> bytes:
        """`place` names table, column and row: a sealed number moved to another row opens not."""
        return self._sealer.seal(number.encode(), place)

    def open(self, sealed: bytes, place: str) -> str:
        """Raises `SealBroken`."""
        return self._sealer.open(sealed, place).decode()


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose).derive(key)
