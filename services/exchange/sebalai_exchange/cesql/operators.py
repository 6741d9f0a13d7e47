"""Arithmetic and order of integers (section 3.4.2)."""

import operator
from collections.abc import Callable, Mapping

from sebalai_exchange.cesql.casts import is_integer
from sebalai_exchange.cesql.tree import EvaluationError, Value


def checked(value: int) -> int:
    """A result of more than 32 bits is an error; the specification leaves open what it would be.

    Raises: EvaluationError.
    """
    if not is_integer(value):
        raise EvaluationError("math")
    return value


def _divided(left: int, right: int) -> int:
    """Towards zero, unlike Python's."""
    if right == 0:
        raise EvaluationError("math")
    found = abs(left) // abs(right)
    return found if (left < 0) == (right < 0) else -found


def _remainder(left: int, right: int) -> int:
    return left - right * _divided(left, right)


ARITHMETIC: Mapping[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": _remainder,
}
ORDER: Mapping[str, Callable[[Value, Value], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
