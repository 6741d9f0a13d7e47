"""Cursors as rows' keys: a position in a list, an id, or texts."""

from uuid import UUID

from sebalai_shared.pagination import BadCursor, decode_cursor

POSITION_MAX = 2**31 - 1
_TAKE_IT = "Take `next` of the page before as it is, or leave it out."


def position_of(cursor: str | None) -> int | None:
    """Raises: BadCursor."""
    key = decode_cursor(cursor, 1)
    if key is None:
        return None
    if not isinstance(key[0], int) or not 0 <= key[0] <= POSITION_MAX:
        raise BadCursor(_TAKE_IT)
    return key[0]


def id_of(cursor: str | None) -> UUID | None:
    """Raises: BadCursor."""
    key = decode_cursor(cursor, 1)
    if key is None:
        return None
    try:
        return UUID(str(key[0]))
    except ValueError as error:
        raise BadCursor(_TAKE_IT) from error


def text_of(cursor: str | None) -> str | None:
    """A slug. Raises: BadCursor."""
    key = decode_cursor(cursor, 1)
    if key is None:
        return None
    if not isinstance(key[0], str):
        raise BadCursor(_TAKE_IT)
    return key[0]


def texts_of(cursor: str | None) -> tuple[str, str] | None:
    """A name and a slug. Raises: BadCursor."""
    key = decode_cursor(cursor, 2)
    if key is None:
        return None
    name, slug = key
    if not isinstance(name, str) or not isinstance(slug, str):
        raise BadCursor(_TAKE_IT)
    return name, slug
