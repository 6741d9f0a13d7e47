"""A log's signed statement of its size and root (C2SP signed-note, tlog-checkpoint)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sebalai_verifier.failures import VerificationError, malformed
from sebalai_verifier.keys import PinnedKey
from sebalai_verifier.strict import INTEGER_MAX, from_base64

SIGNATURE_LINES_LIMIT = 16
ED25519_LINE_BYTES = 4 + 64
_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)")
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes
    signed_by: str


def open_checkpoint(note: str, keys: Sequence[PinnedKey]) -> Checkpoint:
    """Parses the note and checks its signature under a pinned key.

    Raises `VerificationError`: malformed, unknown-key or signature.
    """
    text, separator, signatures = note.rpartition("\n\n")
    if not separator:
        raise malformed("the checkpoint has no signatures")
    text += "\n"
    origin, size, root = _head(text)
    lines = _signature_lines(signatures)
    known = [key for key in keys if key.covers(origin)]
    if not known:
        raise VerificationError("unknown-key", f"no pinned key speaks for the log {origin}")
    for key in known:
        for name, encoded in lines:
            if name == origin and _signs(key, origin, encoded, text):
                return Checkpoint(origin, size, root, key.name)
    raise VerificationError(
        "unknown-key", f"the checkpoint of {origin} is not signed with a pinned key"
    )


def _head(text: str) -> tuple[str, int, bytes]:
    lines = text.split("\n")[:-1]
    if len(lines) < 3 or not all(line and line.isprintable() for line in lines):
        raise malformed("the checkpoint needs origin, size and root, a line each")
    if not _SIZE.fullmatch(lines[1]) or int(lines[1]) > INTEGER_MAX:
        raise malformed("the checkpoint's size is not a plain number")
    return lines[0], int(lines[1]), from_base64(lines[2], 32, "the checkpoint's root")


def _signature_lines(signatures: str) -> list[tuple[str, str]]:
    if not signatures.endswith("\n"):
        raise malformed("the checkpoint's last line is not ended")
    lines = signatures[:-1].split("\n")
    if len(lines) > SIGNATURE_LINES_LIMIT:
        raise malformed(f"more than {SIGNATURE_LINES_LIMIT} signatures on the checkpoint")
    found = [_LINE.fullmatch(line) for line in lines]
    if not all(found):
        raise malformed("a signature line of the checkpoint cannot be read")
    return [(match[1], match[2]) for match in found if match]


def _signs(key: PinnedKey, origin: str, encoded: str, text: str) -> bool:
    """Whether the line is this key's and good; one that is this key's and bad is refused."""
    try:
        line = from_base64(encoded, ED25519_LINE_BYTES, "the signature")
    except VerificationError:
        return False  # another algorithm's line, or garbage: not from a key we pinned
    if line[:4] != key.key_id(origin):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(line[4:], text.encode())
    except InvalidSignature as error:
        raise VerificationError(
            "signature", "the checkpoint was changed, or was not signed by the pinned key"
        ) from error
    return True
