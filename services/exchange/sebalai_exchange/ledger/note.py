"""C2SP signed notes and tlog checkpoints, signed with Ed25519.

Owns the text forms of the ledger's key (signer and verifier), the note and the checkpoint. Does
not own which logs exist or when they are signed. A log signs under its own origin as key name,
as tlog-checkpoint asks; all logs of one ledger share the key pair.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ALGORITHM_ED25519 = b"\x01"
SEED_BYTES = 32
_NAME = re.compile(r"[^\s+]{1,200}")
_SIGNER = re.compile(r"PRIVATE\+KEY\+([^\s+]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{44})")


class MalformedKeyError(ValueError):
    """The signer text does not follow C2SP signed-note."""


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + ALGORITHM_ED25519 + public).digest()[:4]


@dataclass(frozen=True)
class Signer:
    """One key pair under one name."""

    name: str
    seed: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.seed) != SEED_BYTES:
            raise MalformedKeyError("a note key needs a name without spaces or plus and 32 bytes")

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def public(self) -> bytes:
        return self._private.public_key().public_bytes_raw()

    def named(self, name: str) -> "Signer":
        """The same key pair under another name."""
        return Signer(name, self.seed)

    def private_text(self) -> str:
        key_id = _key_id(self.name, self.public).hex()
        encoded = base64.b64encode(ALGORITHM_ED25519 + self.seed).decode()
        return f"PRIVATE+KEY+{self.name}+{key_id}+{encoded}"

    def verifier_text(self) -> str:
        """The line to pin: `name+key id+key`."""
        key_id = _key_id(self.name, self.public).hex()
        encoded = base64.b64encode(ALGORITHM_ED25519 + self.public).decode()
        return f"{self.name}+{key_id}+{encoded}"

    def sign(self, text: str) -> str:
        """The signed note over `text`, which must end in a newline."""
        if not text.endswith("\n"):
            raise ValueError("the text of a note ends in a newline")
        private = self._private
        key_id = _key_id(self.name, private.public_key().public_bytes_raw())
        signature = base64.b64encode(key_id + private.sign(text.encode())).decode()
        return f"{text}\n— {self.name} {signature}\n"


def read_signer(text: str) -> Signer:
    """Parse the signer text; raises `MalformedKeyError`, which never repeats the text."""
    parts = _SIGNER.fullmatch(text.strip())
    if parts is None:
        raise MalformedKeyError("the ledger key is not a C2SP signer (PRIVATE+KEY+name+id+key)")
    try:
        key = base64.b64decode(parts[3], validate=True)
    except binascii.Error as error:
        raise MalformedKeyError("the ledger key is not base64") from error
    if key[:1] != ALGORITHM_ED25519:
        raise MalformedKeyError("the ledger key is not an Ed25519 key")
    signer = Signer(parts[1], key[1:])
    if signer.private_text() != parts[0]:
        raise MalformedKeyError("the ledger key does not match its key id")
    return signer


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
