"""The form of classification codes (Permendagri 83/2022): three digits, then numbers by dots."""

from typing import Annotated, Any

from pydantic import StringConstraints, TypeAdapter, ValidationError
from sebalai_shared.pagination import BadCursor

CODE_LENGTH_MAX = 40

Code = Annotated[
    str,
    StringConstraints(max_length=CODE_LENGTH_MAX, pattern=r"^\d{3}(\.[1-9]\d{0,3}){0,8}$"),
]
_CODES: TypeAdapter[str] = TypeAdapter(Code)


def path_of(code: str) -> list[int]:
    """`400.20` is [400, 20]; a prefix of the path is an ancestor of the code."""
    return [int(part) for part in code.split(".")]


def ancestors_of(code: str) -> list[str]:
    """The code itself and every code above it, the nearest first."""
    parts = code.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]


def after_code(key: list[Any] | None) -> str | None:
    """The code a cursor stood on. Raises: BadCursor when it holds anything else."""
    if key is None:
        return None
    try:
        return _CODES.validate_python(key[0])
    except ValidationError as error:
        raise BadCursor("Take `next` of the page before as it is, or leave it out.") from error
