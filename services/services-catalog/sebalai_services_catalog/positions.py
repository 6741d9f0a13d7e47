"""A cursor that stands on a row's position in its list."""

from sebalai_shared.pagination import BadCursor, decode_cursor

POSITION_MAX = 2**31 - 1


def position_of(cursor: str | None) -> int | None:
    """Raises: BadCursor."""
    key = decode_cursor(cursor, 1)
    if key is None:
        return None
    if not isinstance(key[0], int) or not 0 <= key[0] <= POSITION_MAX:
        raise BadCursor("Take `next` of the page before as it is, or leave it out.")
    return key[0]
