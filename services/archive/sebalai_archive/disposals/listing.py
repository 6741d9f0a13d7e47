"""The list of a disposal as text lines and the Merkle root that freezes it (RFC 9162 hashing)."""

import hashlib
import json
from collections.abc import Sequence

LEAF, NODE = b"\x00", b"\x01"


def line_of(facts: dict[str, str | int | None]) -> str:
    """Canonical JSON (RFC 8785 for strings, integers, null)."""
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def root_of(lines: Sequence[str]) -> str:
    """Hex root over the lines in their order; the empty list has the hash of nothing."""
    level = [hashlib.sha256(LEAF + line.encode()).digest() for line in lines]
    return _root(level).hex()


def _root(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(NODE + _root(hashes[:split]) + _root(hashes[split:])).digest()
