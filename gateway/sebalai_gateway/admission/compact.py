"""The parts of a compact JWS, read in one way only; tokens and proofs are both made of them."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any


class Malformed(Exception):
    """Not canonical base64url, or no JSON object without repeated members."""


def unpadded(part: bytes) -> bytes:
    """Raises: Malformed. One spelling only: loose last bits would make many tokens of one."""
    try:
        decoded = base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Malformed from None
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != part:
        raise Malformed
    return decoded


def json_object(body: bytes) -> dict[str, Any]:
    """Raises: Malformed. Two readers must not see two tokens in one."""
    try:
        document = _DECODER.decode(body.decode())
    except (ValueError, RecursionError):
        raise Malformed from None
    if not isinstance(document, dict):
        raise Malformed
    return document  # pyright: ignore[reportUnknownVariableType]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("repeated member")
    return document


# One for all: `json.loads` would make another for every part it is given a hook for.
_DECODER = json.JSONDecoder(object_pairs_hook=_unique)
