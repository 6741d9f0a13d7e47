"""Filters of a subscription: the dialects exact, prefix, suffix, all, any, not and sql.

Pure. Shapes and meaning as in the CloudEvents Subscriptions API (0.1-wip): each filter of the list
must match; an attribute that the event does not carry matches nothing. `sql` is CESQL (`cesql/`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from sebalai_exchange.cesql.compiling import predicate
from sebalai_exchange.cesql.tree import ExpressionInvalidError

Event = Mapping[str, Any]
Predicate = Callable[[Event], bool]

DEPTH_LIMIT = 5
NODES_LIMIT = 50
# An expression may cost as much as so many other filters.
SQL_NODES = 10
VALUE_LENGTH_MAX = 200
_LIMITS = (
    f"at most {NODES_LIMIT} filters (each attribute is one, an sql one counts {SQL_NODES}), "
    f"{DEPTH_LIMIT} deep"
)
_NAME = re.compile(r"[a-z0-9]{1,20}")
_UNWRITTEN = re.compile(r"[\x00\ud800-\udfff]")
_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "exact": str.__eq__,
    "prefix": str.startswith,
    "suffix": str.endswith,
}


class MalformedFilterError(ValueError):
    """`pointer` names the part that breaks a rule."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer, self.detail = pointer, detail


def compile_filters(filters: Sequence[Any]) -> Predicate:
    """Raises: MalformedFilterError."""
    budget = [NODES_LIMIT]
    tests = [_compile(entry, f"/{n}", budget, DEPTH_LIMIT) for n, entry in enumerate(filters)]
    return lambda event: all(test(event) for test in tests)


def expressions_in(filters: Any) -> int:
    """How many CESQL expressions there are in filters, which may be malformed."""
    if isinstance(filters, list):
        return sum(map(expressions_in, cast("list[Any]", filters)))
    if not isinstance(filters, dict):
        return 0
    entry = cast("dict[str, Any]", filters)
    return ("sql" in entry) + sum(map(expressions_in, entry.values()))


def _compile(entry: Any, at: str, budget: list[int], depth: int) -> Predicate:
    is_sql = isinstance(entry, dict) and "sql" in entry
    budget[0] -= SQL_NODES if is_sql else 1
    if budget[0] < 0 or depth == 0:
        raise MalformedFilterError(at, _LIMITS)
    if not isinstance(entry, dict) or len(cast("dict[str, Any]", entry)) != 1:
        raise MalformedFilterError(at, "a filter is an object with one dialect")
    ((dialect, value),) = cast("dict[str, Any]", entry).items()
    if dialect in _TESTS:
        return _compare(_TESTS[dialect], value, f"{at}/{dialect}", budget)
    if dialect == "sql":
        return _express(value, f"{at}/sql")
    if dialect in ("all", "any"):
        return _combine(dialect, value, f"{at}/{dialect}", budget, depth)
    if dialect == "not":
        inner = _compile(value, f"{at}/not", budget, depth - 1)
        return lambda event: not inner(event)
    raise MalformedFilterError(at, "dialects are exact, prefix, suffix, all, any, not and sql")


def _express(value: Any, at: str) -> Predicate:
    if not isinstance(value, str):
        raise MalformedFilterError(at, "is a text: an expression of CloudEvents SQL")
    _require_written(value, at)
    try:
        return predicate(value)
    except ExpressionInvalidError as error:
        raise MalformedFilterError(at, str(error)) from error


def _compare(test: Callable[[str, str], bool], value: Any, at: str, budget: list[int]) -> Predicate:
    if not isinstance(value, dict) or not value:
        raise MalformedFilterError(at, "is an object of attribute and text")
    pairs = list(cast("dict[str, Any]", value).items())
    budget[0] -= len(pairs) - 1
    if budget[0] < 0:
        raise MalformedFilterError(at, _LIMITS)
    for name, wanted in pairs:
        _require_comparable(name, wanted, at)
    return lambda event: all(_matches(test, event, name, wanted) for name, wanted in pairs)


def _require_comparable(name: str, wanted: Any, at: str) -> None:
    if not _NAME.fullmatch(name):
        raise MalformedFilterError(at, "an attribute is named by 1 to 20 of a-z and 0-9")
    if name == "data":
        raise MalformedFilterError(f"{at}/data", "filters look at attributes alone")
    if not isinstance(wanted, str) or not 0 < len(wanted) <= VALUE_LENGTH_MAX:
        raise MalformedFilterError(f"{at}/{name}", "is a text of 1 to 200 characters")
    _require_written(wanted, f"{at}/{name}")


def _require_written(text: str, at: str) -> None:
    """No event holds these characters, and the database cannot keep them."""
    if _UNWRITTEN.search(text):
        raise MalformedFilterError(at, "holds a NUL or half a character")


def _matches(test: Callable[[str, str], bool], event: Event, name: str, wanted: str) -> bool:
    found = event.get(name)
    return found is not None and test(_spelled(found), wanted)


def _spelled(value: object) -> str:
    """An attribute's text as CloudEvents 1.0 (3.1, type system) spells it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _combine(dialect: str, value: Any, at: str, budget: list[int], depth: int) -> Predicate:
    if not isinstance(value, list) or not value:
        raise MalformedFilterError(at, "is a list of filters")
    inner = [
        _compile(entry, f"{at}/{number}", budget, depth - 1)
        for number, entry in enumerate(cast("list[Any]", value))
    ]
    if dialect == "all":
        return lambda event: all(test(event) for test in inner)
    return lambda event: any(test(event) for test in inner)


def type_matches(pattern: str, kind: str) -> bool:
    """`pattern` is a type, or its beginning followed by `*`."""
    if pattern.endswith("*"):
        return kind.startswith(pattern[:-1])
    return pattern == kind
