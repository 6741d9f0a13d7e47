"""Cursors over rows that are sorted by an id or a position alone: most lists of the archive."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sebalai_shared.pagination import BadCursor, CursorText, decode_cursor

POSITION_BELOW = 2**31
ADVICE = "Take `next` of the page before as it is, or leave it out."


@dataclass(frozen=True, slots=True)
class PageAsk:
    """Rows after `after`, at most `limit` and one more; of a register only those with `words`."""

    after: UUID | None
    limit: int
    words: str | None = None


async def after_id(cursor: CursorText = None) -> UUID | None:
    """The id a cursor stood on; None for the first page. Raises: BadCursor."""
    key = decode_cursor(cursor, 1)
    if key is None:
        return None
    try:
        return UUID(str(key[0]))
    except ValueError as error:
        raise BadCursor(ADVICE) from error


async def after_position(cursor: CursorText = None) -> int:
    """The position a cursor stood on; 0 for the first page. Raises: BadCursor."""
    key = decode_cursor(cursor, 1)
    if key is None:
        return 0
    if not isinstance(key[0], int) or not 0 <= key[0] < POSITION_BELOW:
        raise BadCursor(ADVICE)
    return key[0]


AfterId = Annotated[UUID | None, Depends(after_id)]
AfterPosition = Annotated[int, Depends(after_position)]
