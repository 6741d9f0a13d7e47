"""Values of parameters, as schemas can be held against them.

On the wire every value is text, and the same text may be a number, a list or a word: what of these
it can be is tried by what the schema calls it, and one that fits is enough. Objects are not tried:
of their five spellings (OpenAPI, `style`) none can be told from the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

FOLLOWED_MAX = 20
# The gateway says these itself, or OpenAPI says elsewhere what they must be.
NOT_JUDGED = frozenset(
    {"accept", "authorization", "content-type", "cookie", "information-mediator-client",
     "traceparent", "user-agent", "x-govstack-client"}
)  # fmt: skip
_OURS = ("sebalai-", "x-road-")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?\Z")
_WORDS = {"true": True, "false": False, "null": None}
_SEPARATORS = (",", "|", " ", "\t")
_NAMED = frozenset({"string", "integer", "number", "boolean", "array", "null"})


def is_judged(header: str) -> bool:
    """Whether a header parameter is the consumer's to send."""
    name = header.lower()
    return name not in NOT_JUDGED and not name.startswith(_OURS)


def types_of(document: Any, schema: Any) -> frozenset[str]:
    """The types a schema names, references followed; empty when it names none or an object."""
    for _ in range(FOLLOWED_MAX):
        target = schema.get("$ref") if isinstance(schema, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        if not isinstance(target, str):
            break
        schema = _at(document, target)
    told = schema.get("type") if isinstance(schema, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    listed: list[Any] = told if isinstance(told, list) else [told]  # pyright: ignore[reportUnknownVariableType]
    found = frozenset(str(one) for one in listed)
    return found if found <= _NAMED else frozenset()


def readings(values: Sequence[str], types: frozenset[str]) -> Iterable[list[Any]]:
    """For each value what it can mean, the closest last; a list is one value of several texts."""
    if "array" in types:
        split = (values[0].split(mark) for mark in _SEPARATORS) if len(values) == 1 else ()
        lists = [*split, list(values)]
        return [[reading for one in lists for reading in ([_scalar(v) for v in one], one)]]
    if types <= {"string", "null"}:
        return [[value] for value in values]
    return [[value, _scalar(value)] for value in values]


def _scalar(text: str) -> Any:
    if _NUMBER.match(text):
        return orjson.loads(text)
    return _WORDS.get(text, text)


def _at(document: Any, reference: str) -> Any:
    for part in reference.removeprefix("#").split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list) and key.isdigit() and int(key) < len(document):  # pyright: ignore[reportUnknownArgumentType]
            document = document[int(key)]  # pyright: ignore[reportUnknownVariableType]
        elif isinstance(document, dict):
            document = document.get(key)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        else:
            return None
    return document  # pyright: ignore[reportUnknownVariableType]
