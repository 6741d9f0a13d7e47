"""Forms of text on the wire that more than one slice takes."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

PASSPHRASE_LENGTH_MAX = 200

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


def _sixteen_digits(value: SecretStr) -> SecretStr:
    if re.fullmatch(r"[0-9]{16}", value.get_secret_value()) is None:
        raise ValueError("a NIK has 16 digits")
    return value


SecretNik = Annotated[SecretStr, AfterValidator(_sixteen_digits)]
Passphrase = Annotated[SecretStr, Field(min_length=1, max_length=PASSPHRASE_LENGTH_MAX)]
