"""Forms of text on the wire that more than one slice takes."""

from typing import Annotated

from pydantic import StringConstraints

# No control characters: a line is one line wherever it is printed, and PostgreSQL keeps no NUL.
_LINE = r"^[^\x00-\x1f\x7f]*$"
_LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"

Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_LINE),
]
LongLine = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=_LINE),
]
Prose = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=5_000, pattern=_LINES),
]
"""Lines and tabs, no other control character; a slice may ask for less."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
Subject = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9/._:-]{1,200}$")]
"""Who: the `sub` of a caller, a person's or an application's."""
