"""Casts between the three types (section 3.7), and what an attribute's value counts as."""

import re
from collections.abc import Callable, Mapping

from sebalai_exchange.cesql.tree import EvaluationError, Kind, Value

INTEGER_MAX = 2**31 - 1
# Without the zeros before it: Python reads no more than 4,300 digits.
_INTEGER = re.compile(r"([+-]?)0*([0-9]{1,10})", re.ASCII)
_BOOLEANS = {"true": True, "false": False}


def is_integer(value: int) -> bool:
    """Whether it is one of 32 bits."""
    return -INTEGER_MAX - 1 <= value <= INTEGER_MAX


def to_integer(value: Value) -> int:
    if not isinstance(value, str):
        return int(value)
    read = _INTEGER.fullmatch(value)
    if read and is_integer(found := int(read[1] + read[2])):
        return found
    raise EvaluationError("cast")


def to_boolean(value: Value) -> bool:
    if not isinstance(value, str):
        return bool(value)
    found = _BOOLEANS.get(value.lower())
    if found is None:
        raise EvaluationError("cast")
    return found


def to_string(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


CASTS: Mapping[Kind, Callable[[Value], Value]] = {
    Kind.BOOLEAN: to_boolean,
    Kind.INTEGER: to_integer,
    Kind.STRING: to_string,
}


def cast_like(value: Value) -> Callable[[Value], Value]:
    """The cast to the type that `value` has."""
    if isinstance(value, bool):
        return to_boolean
    return to_integer if isinstance(value, int) else to_string


def primitive(value: Value) -> Value:
    """CloudEvents knows integers of 32 bits; a longer one counts as its text (section 3.2)."""
    if isinstance(value, int) and not is_integer(value):
        return str(value)
    return value
