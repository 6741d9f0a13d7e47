"""Identifiers: UUIDv7 (RFC 9562 section 5.7), ordered by time, so that indexes grow at one end."""

from __future__ import annotations

import os
import time
from uuid import UUID

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_A = (1 << 12) - 1
_RANDOM_B = (1 << 62) - 1


def uuid7() -> UUID:
    """A new UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    high = (milliseconds & ((1 << 48) - 1)) << 80
    middle = ((random >> 64) & _RANDOM_A) << 64
    return UUID(int=high | _VERSION_7 | middle | _VARIANT | (random & _RANDOM_B))
