"""Inclusion in a Merkle tree as RFC 9162, section 2.1.3.2, checks it: from the leaf upwards."""

from collections.abc import Sequence
from hashlib import sha256

PROOF_LENGTH_LIMIT = 64


def root_from_proof(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root the proof leads to, or None when the proof does not fit index and size."""
    if not 0 <= index < size:
        return None
    position, last = index, size - 1
    result = sha256(b"\x00" + leaf).digest()
    for sibling in proof:
        if last == 0:
            return None
        if position & 1 or position == last:
            result = sha256(b"\x01" + sibling + result).digest()
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            result = sha256(b"\x01" + result + sibling).digest()
        position, last = position >> 1, last >> 1
    return result if last == 0 else None
