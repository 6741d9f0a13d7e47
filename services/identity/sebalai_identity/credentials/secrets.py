"""Keys of sign-in: seals TOTP seeds, and turns names into counters that tell nobody's name."""

import hashlib
import hmac
from typing import Protocol


class Seals(Protocol):
    """What seals and opens; `name` is bound in."""

    def seal(self, secret: bytes, name: str) -> bytes: ...
    def open(self, sealed: bytes, name: str) -> bytes: ...


class Secrets:
    def __init__(self, sealer: Seals, index_key: bytes) -> None:
        """Both from the sealing key, each derived for its purpose."""
        self._sealer, self._index_key = sealer, index_key

    def index(self, *parts: str) -> bytes:
        """32 bytes for a place in a table; somebody may have typed a NIK as their name."""
        text = "\x00".join(parts)
        return hmac.digest(self._index_key, text.encode(), hashlib.sha256)

    def seal(self, secret: bytes, place: str) -> bytes:
        return self._sealer.seal(secret, place)

    def open(self, sealed: bytes, place: str) -> bytes:
        return self._sealer.open(sealed, place)
