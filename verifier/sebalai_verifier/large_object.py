"""A large object that passed the bus in parts, against the receipts of its parts (r1 section 4c).

A part that broke off counts for what passed of it: its receipt has the digest of just that.
"""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from sebalai_verifier.failures import VerificationError, malformed
from sebalai_verifier.receipt import Verified
from sebalai_verifier.strict import hash_from_hex, whole_number

READ_BYTES = 1024 * 1024


def check_object(receipts: Sequence[Verified], file: Path) -> str:
    """The digest of the whole, hexadecimal.

    Raises `VerificationError`: unreadable, malformed, object-differs, object-incomplete.
    """
    parts = sorted(filter(None, map(_part, receipts)))
    if len({receipt.payload.get("correlation_id") for receipt in receipts}) > 1:
        raise VerificationError("object-differs", "the receipts are of several objects")
    try:
        with file.open("rb") as opened:
            reached = 0
            for offset, size, digest in parts:
                if offset > reached:
                    raise VerificationError("object-incomplete", f"no part begins at {reached}")
                opened.seek(offset)
                if _digest(opened, size) != digest:
                    raise VerificationError("object-differs", f"the part at {offset} differs")
                reached = max(reached, offset + size)
            if reached < file.stat().st_size:
                raise VerificationError("object-incomplete", f"no part begins at {reached}")
            opened.seek(0)
            whole = _digest(opened, reached)
    except OSError as error:
        raise VerificationError("unreadable", "the object cannot be read") from error
    told = {_told(receipt).get("sha256") for receipt in receipts} - {None}
    if told - {whole}:
        raise VerificationError(
            "object-differs", "the whole is not what its parts said it would be"
        )
    return whole


def _told(receipt: Verified) -> dict[str, Any]:
    upload = receipt.payload.get("upload")
    return cast("dict[str, Any]", upload) if isinstance(upload, dict) else {}


def _part(receipt: Verified) -> tuple[int, int, str] | None:
    """Offset, size and digest of what passed; None for a call that carried no part."""
    told, body = _told(receipt), receipt.payload.get("request")
    if "offset" not in told or not isinstance(body, dict):
        return None
    passed = cast("dict[str, Any]", body)
    size = whole_number(passed.get("bytes"), "the size of a part")
    digest = hash_from_hex(passed.get("sha256"), "the digest of a part").hex()
    return whole_number(told["offset"], "the offset of a part"), size, digest


def _digest(opened: Any, size: int) -> str:
    found, left = sha256(), size
    while left:
        chunk = opened.read(min(left, READ_BYTES))
        if not chunk:
            raise malformed("a part reaches beyond the object")
        found.update(chunk)
        left -= len(chunk)
    return found.hexdigest()
