"""Sealed content: AES-256-GCM in frames of 64 KiB, so that any range is read and checked alone.

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015), as in age and C2SP's
chunked encryption: the nonce of a frame is its place (11 bytes, big-endian) and one byte that is 1
for the last. No frame can be moved, left out or added, and the end cannot be cut off. A key seals
one content and nothing else, so no nonce comes twice.
"""

import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
FRAME_BYTES = 64 * 1024
TAG_BYTES = 16
SEALED_FRAME_BYTES = FRAME_BYTES + TAG_BYTES
_PLACE_BYTES = 11


class SealBroken(Exception):
    """The bytes are not what was sealed under this key at this place."""


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


def frames_of(size: int) -> int:
    """How many frames hold `size` bytes; empty content is one empty frame."""
    return max(1, -(-size // FRAME_BYTES))


def sealed_size(size: int) -> int:
    return size + frames_of(size) * TAG_BYTES


def _nonce(place: int, *, is_last: bool) -> bytes:
    return place.to_bytes(_PLACE_BYTES, "big") + bytes([is_last])


class Sealer:
    """Seals one content as it comes; `seal` holds back what may be the last frame."""

    def __init__(self, key: bytes) -> None:
        self._cipher, self._place, self._held = AESGCM(key), 0, bytearray()

    def seal(self, data: bytes | bytearray) -> bytes:
        self._held += data
        whole = max(0, len(self._held) - 1) // FRAME_BYTES
        out = [self._frame(n * FRAME_BYTES, is_last=False) for n in range(whole)]
        del self._held[: whole * FRAME_BYTES]
        return b"".join(out)

    def finish(self) -> bytes:
        return self._frame(0, is_last=True)

    def _frame(self, start: int, *, is_last: bool) -> bytes:
        plain = bytes(self._held[start : start + FRAME_BYTES])
        sealed = self._cipher.encrypt(_nonce(self._place, is_last=is_last), plain, None)
        self._place += 1
        return sealed


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens a content of `size` plain bytes."""

    key: bytes
    size: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where in the sealed bytes the frames lie that hold plain `[start, end)`."""
        first, last = start // FRAME_BYTES, max(start, end - 1) // FRAME_BYTES
        return first * SEALED_FRAME_BYTES, min(
            (last + 1) * SEALED_FRAME_BYTES, sealed_size(self.size)
        )

    def open(self, sealed: bytes, start: int, end: int) -> bytes:
        """Plain `[start, end)` out of what `span` names. Raises: SealBroken."""
        first, last = start // FRAME_BYTES, frames_of(self.size) - 1
        cipher, parts = AESGCM(self.key), list[bytes]()
        for at in range(0, len(sealed), SEALED_FRAME_BYTES):
            place = first + at // SEALED_FRAME_BYTES
            nonce = _nonce(place, is_last=place == last)
            try:
                parts.append(cipher.decrypt(nonce, sealed[at : at + SEALED_FRAME_BYTES], None))
            except (InvalidTag, ValueError) as error:
                raise SealBroken(f"frame {place}") from error
        plain = b"".join(parts)
        wanted = plain[start - first * FRAME_BYTES : end - first * FRAME_BYTES]
        if len(wanted) != end - start:
            raise SealBroken("the content is cut")
        return wanted
