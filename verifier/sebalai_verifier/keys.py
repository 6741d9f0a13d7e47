"""The pinned key of a ledger: where it comes from, its text form, and which logs it speaks for.

Does not take keys from a receipt: a key that came along with what it is to prove proves nothing.
"""

import os
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sebalai_verifier.failures import VerificationError
from sebalai_verifier.strict import from_base64

ENVIRONMENT = "SEBALAI_LEDGER_KEYS"
DEFAULT_FILE = Path(".run/ledger.vkey")
KEY_FILE_BYTES_LIMIT = 64 * 1024
ED25519 = b"\x01"
_TEXT = re.compile(r"([^\s+]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{44})")


@dataclass(frozen=True)
class PinnedKey:
    """`name` is a log's origin, or the part before the last of many logs' origins."""

    name: str
    public: bytes

    def covers(self, origin: str) -> bool:
        return origin == self.name or origin.startswith(f"{self.name}/")

    def key_id(self, origin: str) -> bytes:
        """The key id under which this key signs for `origin` (C2SP signed-note)."""
        return sha256(origin.encode() + b"\n" + ED25519 + self.public).digest()[:4]


def parse_key(text: str) -> PinnedKey:
    parts = _TEXT.fullmatch(text)
    if parts is None:
        raise VerificationError("malformed-key", "a pinned key looks like name+8 hex digits+base64")
    try:
        material = from_base64(parts[3], 33, "the key")
    except VerificationError as error:
        raise VerificationError("malformed-key", error.detail) from error
    key = PinnedKey(parts[1], material[1:])
    if material[:1] != ED25519:
        raise VerificationError("malformed-key", "only Ed25519 keys are known here")
    if key.key_id(key.name).hex() != parts[2]:
        raise VerificationError("malformed-key", "the key does not match its own key id")
    return key


def parse_keys(text: str) -> list[PinnedKey]:
    """One key a line; empty lines and lines that begin with # are passed over."""
    lines = (line.strip() for line in text.splitlines())
    return [parse_key(line) for line in lines if line and not line.startswith("#")]


def pinned_keys(given: str | None) -> list[PinnedKey]:
    """Keys from `given` (text or file), else the file in the environment, else the default file."""
    if given is not None and _TEXT.fullmatch(given.strip()):
        return [parse_key(given.strip())]
    source = Path(given or os.environ.get(ENVIRONMENT) or DEFAULT_FILE)
    try:
        with source.open("rb") as file:
            content = file.read(KEY_FILE_BYTES_LIMIT)
        keys = parse_keys(content.decode("utf-8"))
    except (OSError, ValueError) as error:
        detail = f"no pinned key: give --key, set {ENVIRONMENT}, or keep one in {DEFAULT_FILE}"
        if given is not None:
            detail = "--key is neither a key nor a file that can be read"
        raise VerificationError("missing-key", detail) from error
    if not keys:
        raise VerificationError("missing-key", f"{source} holds no key")
    return keys
