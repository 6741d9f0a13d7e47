"""Strict reading of what strangers wrote: JSON, base64, hex and whole numbers.

Owns the rule that two different texts never mean the same receipt: duplicate keys, other spellings
of the same bytes, numbers beyond what JSON carries safely and extra keys are refused.
"""

import base64
import binascii
import json
import re
from typing import Any, cast

from sebalai_verifier.failures import malformed

INTEGER_MAX = 2**53 - 1
HASH_HEX = re.compile(r"[0-9a-f]{64}")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise malformed("a key stands twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise malformed(f"{name} is not JSON")


def read_json(text: bytes | str, what: str) -> Any:
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(
            decoded, object_pairs_hook=_without_duplicates, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise malformed(f"{what} is not JSON in UTF-8 that can be read") from error


def exact_object(value: Any, keys: set[str], what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise malformed(f"{what} is not an object")
    found = cast("dict[str, Any]", value)
    if found.keys() != keys:
        raise malformed(f"{what} must have exactly the keys {', '.join(sorted(keys))}")
    return found


def string(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise malformed(f"{what} is not a string")
    return value


def whole_number(value: Any, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= INTEGER_MAX:
        raise malformed(f"{what} is not a whole number between 0 and 2^53 - 1")
    return value


def hash_from_hex(value: Any, what: str) -> bytes:
    if not isinstance(value, str) or not HASH_HEX.fullmatch(value):
        raise malformed(f"{what} is not 64 lowercase hex digits")
    return bytes.fromhex(value)


def from_base64(text: str, length: int, what: str) -> bytes:
    """Standard base64 in its one canonical spelling, of exactly `length` bytes."""
    try:
        decoded = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise malformed(f"{what} is not base64") from error
    if len(decoded) != length or base64.b64encode(decoded).decode() != text:
        raise malformed(f"{what} is not {length} bytes in canonical base64")
    return decoded


def from_base64url(text: str, length: int, what: str) -> bytes:
    """The same without padding, in the alphabet of JOSE."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise malformed(f"{what} is not base64url without padding")
    padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
    return from_base64(padded, length, what)
