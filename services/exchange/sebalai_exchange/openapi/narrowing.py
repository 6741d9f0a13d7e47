"""What a schema takes no longer, although its type is the same: bounds, patterns, other names.

Told to consumers who send it; whoever only receives loses nothing by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sebalai_exchange.openapi.reading import Json

# With what stands where nothing is said.
_LEAST: dict[str, int | None] = {
    "minimum": None, "exclusiveMinimum": None, "minLength": 0, "minItems": 0, "minProperties": 0,
}  # fmt: skip
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_EXACT = ("pattern", "const")
# In 3.0 the exclusive bounds are these too.
_SWITCHES = ("uniqueItems", "exclusiveMinimum", "exclusiveMaximum")


def narrowed(old: Json, new: Json) -> Iterator[str]:
    """One phrase for each way in which less is taken."""
    yield from _bounds(old, new)
    for name in _EXACT:
        if name in new and new[name] != old.get(name):
            yield f"{name} became another" if name in old else f"{name} is new"
    for name in _SWITCHES:
        if new.get(name) is True and old.get(name) is not True:
            yield f"{name} is new"
    if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
        yield "names that are not described are no longer taken"


def _bounds(old: Json, new: Json) -> Iterator[str]:
    for name, silent in _LEAST.items():
        was, now = _number(old.get(name), silent), _number(new.get(name), silent)
        if now is not None and (was is None or now > was):
            yield f"{name} {now} is new" if name not in old else f"{name} rose from {was} to {now}"
    for name in _MOST:
        was, now = _number(old.get(name)), _number(new.get(name))
        if now is not None and (was is None or now < was):
            yield f"{name} {now} is new" if name not in old else f"{name} fell from {was} to {now}"
    was, now = _number(old.get("multipleOf")), _number(new.get("multipleOf"))
    if now and (was is None or was % now):
        yield "multipleOf is new" if was is None else "multipleOf became another"


def _number(value: Any, silent: int | None = None) -> float | int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else silent
