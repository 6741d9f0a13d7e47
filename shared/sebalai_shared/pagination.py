"""Lists: an opaque cursor over the last row's sort key, `{items, next}`; never an offset."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Query
from pydantic import BaseModel

from sebalai_shared.problems import Problem

LIMIT_DEFAULT = 20
LIMIT_MAX = 100
CURSOR_LENGTH_MAX = 512

Item = TypeVar("Item")

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="rows a page")]
CursorText = Annotated[
    str | None, Query(max_length=CURSOR_LENGTH_MAX, description="`next` of the page before")
]


class BadCursor(Problem):
    status, slug, title = 422, "cursor-invalid", "The cursor is not one of ours"


class Page(BaseModel, Generic[Item]):
    items: list[Item]
    next: str | None = None


def encode_cursor(key: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(list(key), default=str)).decode().rstrip("=")


def decode_cursor(cursor: str | None, length: int) -> list[Any] | None:
    """The key of `length` parts that `encode_cursor` hid, none with a NUL. Raises: BadCursor."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadCursor("Take `next` of the page before as it is, or leave it out.") from error
    if not isinstance(key, list) or len(key) != length or any("\x00" in str(part) for part in key):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        raise BadCursor("The cursor belongs to another list.")
    return list(key)  # pyright: ignore[reportUnknownArgumentType]


def page(
    rows: Sequence[Any],
    limit: int,
    read: Callable[[Any], Item],
    key: Callable[[Any], Sequence[Any]],
) -> Page[Item]:
    """Builds a page from up to `limit + 1` rows: the extra one only says that there is more."""
    shown = rows[:limit]
    more = encode_cursor(key(shown[-1])) if len(rows) > limit else None
    return Page(items=[read(row) for row in shown], next=more)
