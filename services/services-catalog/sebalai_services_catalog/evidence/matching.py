"""What of a holder's answer is taken over; pure.

An answer is `{"items": […]}`. Exactly one item must agree with what the person said of themselves
beyond the search key: a number alone proves nobody. Only the listed fields are taken over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

TEXT_LENGTH_MAX = 500


class NoMatch(Exception):
    """Nobody, several, or somebody else than the person says."""


class Unreadable(Exception):
    """The holder answers in another shape than the agreement's interface."""


@dataclass(frozen=True, slots=True)
class Taken:
    """`content` is the canonical JSON (sorted keys) that `sha256` is of."""

    document: dict[str, Any]
    content: bytes
    sha256: str


def take_over(answer: bytes, match: tuple[str, str], fields: Sequence[str]) -> Taken:
    """`match` is the field and the value it must have. Raises: NoMatch, Unreadable."""
    try:
        items = orjson.loads(answer)["items"]
        name, value = match
        if len(items) != 1 or str(items[0][name]).casefold() != value.casefold():
            raise NoMatch
        document = {field: _plain(items[0][field]) for field in fields}
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Unreadable from error
    content = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return Taken(document, content, sha256(content).hexdigest())


def _plain(value: Any) -> str | int | bool | None:
    """Raises: ValueError for anything but a short scalar."""
    if value is None or (isinstance(value, str | int) and len(str(value)) <= TEXT_LENGTH_MAX):
        return value
    raise ValueError("not a short scalar")
