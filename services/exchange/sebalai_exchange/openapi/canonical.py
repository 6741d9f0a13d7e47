"""A contract's one spelling (RFC 8785): what its digest is taken of.

The library writes one spelling slowly; documents whose numbers and keys are plain are written by
orjson to the same bytes.
"""

import json
from hashlib import sha256
from typing import Any

import orjson
import rfc8785

# Between these, shortest decimal notation is positional in RFC 8785 and in orjson alike.
_PLAIN_MIN, _PLAIN_MAX = 1e-4, 1e15
INTEGER_MAX = 2**53


class NotPlainJson(ValueError):
    """The document is no JSON, or holds what RFC 8785 cannot spell."""


class _Numbers:
    """Parses numbers, noting whether one needs the slow spelling."""

    def __init__(self) -> None:
        self.is_plain = True

    def real(self, text: str) -> float | int:
        value = float(text)
        if value.is_integer() and abs(value) < _PLAIN_MAX:
            return int(value)
        self.is_plain = self.is_plain and _PLAIN_MIN <= abs(value) < _PLAIN_MAX
        return value

    def whole(self, text: str) -> float | int:
        value = int(text)
        if abs(value) >= INTEGER_MAX:
            # JSON numbers are doubles to RFC 8785: the bounds of int64 lose their last digits.
            self.is_plain = False
            return self.real(text)
        return value


def parse(text: bytes) -> tuple[dict[str, Any], bool]:
    """The document, and whether its numbers are plain. Raises: NotPlainJson."""
    numbers = _Numbers()
    try:
        document = json.loads(
            text,
            parse_float=numbers.real,
            parse_int=numbers.whole,
            parse_constant=_refuse,
        )
    except NotPlainJson:
        raise
    except (ValueError, RecursionError) as error:
        msg = "it is not JSON, or nests too deeply"
        raise NotPlainJson(msg) from error
    if not isinstance(document, dict):
        msg = "it is not a JSON object"
        raise NotPlainJson(msg)
    return document, numbers.is_plain  # pyright: ignore[reportUnknownVariableType]


def _refuse(name: str) -> float:
    msg = f"{name} is no JSON number"
    raise NotPlainJson(msg)


def spell(document: dict[str, Any], *, is_plain: bool) -> tuple[bytes, str]:
    """The canonical bytes and their hex SHA-256. Raises: NotPlainJson."""
    try:
        text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS) if is_plain else b""
        # Above the basic plane, UTF-16 order (RFC 8785) and orjson's differ.
        if not text or any(byte >= 0xF0 for byte in text):
            text = rfc8785.dumps(document)
    except (orjson.JSONEncodeError, rfc8785.CanonicalizationError, RecursionError) as error:
        msg = "it holds what has no one spelling in JSON"
        raise NotPlainJson(msg) from error
    except UnicodeError as error:
        msg = "it holds half a character"
        raise NotPlainJson(msg) from error
    return text, sha256(text).hexdigest()
