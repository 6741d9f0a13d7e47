"""Slugs, r1 identifiers (wiring, section 3) and free text. Owns syntax, not what exists."""

import re
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints
from sebalai_shared.pagination import BadCursor, decode_cursor

SLUG_PATTERN = r"^[a-z0-9-]{1,40}$"
SLUG_LENGTH_MAX = 40
# PostgreSQL keeps no NUL in a text.
TEXT_PATTERN = r"^[^\x00]*$"
GOVERNMENT = "GOV"

Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]


def slug_of(short_name: str) -> str:
    """`Dinsos PMD` becomes `dinsos-pmd`: lower case, everything else than letters and digits `-`.

    Raises:
        ValueError: nothing is left, or more than SLUG_LENGTH_MAX characters.

    """
    slug = re.sub(r"[^a-z0-9]+", "-", short_name.lower()).strip("-")
    if not 0 < len(slug) <= SLUG_LENGTH_MAX:
        msg = f"no slug of 1 to {SLUG_LENGTH_MAX} characters in {short_name!r}"
        raise ValueError(msg)
    return slug


def identifier_of(instance: str, agency: str, application: str) -> str:
    return f"{instance}/{GOVERNMENT}/{agency}/{application}"


def cursor_id(cursor: str | None) -> UUID | None:
    """The id a list paged by id goes on after. Raises `BadCursor`."""
    key = decode_cursor(cursor, 1)
    if key is None:
        return None
    try:
        return UUID(str(key[0]))
    except ValueError as error:
        raise BadCursor("The cursor belongs to another list.") from error
