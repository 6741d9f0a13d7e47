"""The parts of a compact JWS, read in one way only; tokens and proofs are both made of them."""

from __future__ import annotations

import binascii
import json
from typing import Any

_SIGNS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# To the alphabet the decoder knows; what is of that one alone becomes what is of none.
_STANDARD = bytes.maketrans(b"-_+/=", b"+/***")
# By length modulo four: the padding, and what the last sign may be so that no bit of it is lost.
_PADDING = (b"", b"===", b"==", b"=")
_LAST = (frozenset(_SIGNS), frozenset[int](), frozenset(_SIGNS[::16]), frozenset(_SIGNS[::4]))


class Malformed(Exception):
    """Not canonical base64url, or no JSON object without repeated members."""


def unpadded(part: bytes) -> bytes:
    """Raises: Malformed. One spelling only: loose last bits would make many tokens of one."""
    rest = len(part) & 3
    if part and part[-1] not in _LAST[rest]:
        raise Malformed
    try:
        return binascii.a2b_base64(part.translate(_STANDARD) + _PADDING[rest], strict_mode=True)
    except binascii.Error:
        raise Malformed from None


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
