"""What one entry of a log says in public, and what it commits to in private.

Owns the commitment and the exact bytes of a leaf. A leaf holds a kind, a time, an id and a salted
digest; payload and salt stay in the database. When the salt is destroyed the leaf says nothing
more, and every proof over it still holds.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal
from uuid import UUID

import rfc8785

LEAF_VERSION = 1
SALT_BYTES = 32

LeafKind = Literal["call", "event"]


def commitment(salt: bytes, payload: bytes) -> bytes:
    """SHA-256(salt ‖ JCS(payload)); a salt of fixed length keeps the two parts apart."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    return sha256(salt + payload).digest()


@dataclass(frozen=True)
class Leaf:
    """`time` is repeated from the payload as it stands there."""

    kind: LeafKind
    time: str
    id: UUID
    commitment: bytes

    def encode(self) -> bytes:
        return rfc8785.dumps(
            {
                "v": LEAF_VERSION,
                "kind": self.kind,
                "time": self.time,
                "id": str(self.id),
                "commitment": self.commitment.hex(),
            }
        )
