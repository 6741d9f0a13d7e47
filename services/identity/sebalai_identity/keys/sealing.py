"""Seals private signing keys with AES-256-GCM, so that the database alone can sign nothing."""

import base64
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sebalai_identity.settings import IdentitySettings

KEY_BYTES = 32
NONCE_BYTES = 12


class SealBroken(Exception):
    """The sealing key is not the one this was sealed with, or the content was changed."""


class Sealer:
    def __init__(self, key: bytes) -> None:
        """Raises `ValueError` unless the key has KEY_BYTES bytes."""
        if len(key) != KEY_BYTES:
            msg = f"the sealing key must be {KEY_BYTES} random bytes, base64url"
            raise ValueError(msg)
        self._cipher, self._key = AESGCM(key), key
        self._derived: dict[str, bytes] = {}

    @classmethod
    def from_file(cls, path: Path) -> "Sealer":
        text = path.read_text(encoding="ascii").strip()
        return cls(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))

    def derive(self, purpose: str) -> bytes:
        """A key of its own for each purpose (HKDF, RFC 5869), kept: purposes are few and ours."""
        known = self._derived.get(purpose)
        if known is None:
            known = HKDF(SHA256(), KEY_BYTES, None, purpose.encode()).derive(self._key)
            self._derived[purpose] = known
        return known

    def seal(self, secret: bytes, name: str) -> bytes:
        """`name` is bound in: one key's content cannot be passed off as another's."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, name.encode())

    def open(self, sealed: bytes, name: str) -> bytes:
        """Raises `SealBroken`."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name.encode())
        except InvalidTag as error:
            msg = f"key {name} does not open with this sealing key"
            raise SealBroken(msg) from error


def sealer_of(settings: IdentitySettings) -> Sealer | None:
    """None where nothing is to be sealed. Raises `ValueError` when the file holds no key."""
    path = settings.sealing_key_file
    return Sealer.from_file(path) if path is not None else None
