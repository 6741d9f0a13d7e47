"""How much work a schema can make of one value: whether a body may be checked between two calls.

A schema that leads back to itself by two ways (`and` and `or` of a filter, say) looks at a value
again and again: twice as often a level deeper, an hour for a hundred bytes. How often is not to be
told from outside, so whatever leads back to itself counts as without bound.
"""

from __future__ import annotations

from typing import Any

SCHEMAS_MAX = 20_000
STEPS_MAX = 200
_LATE = frozenset({"$dynamicRef", "$recursiveRef"})


class _Unbounded(Exception):
    """The schema leads back to itself, or further than is followed here."""


class Burdens:
    """Of the schemas in one document; each is walked once."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._known: dict[int, int] = {}

    def of(self, number: int) -> int | None:
        """How many schemas at most look at one value under the check of this number; None where
        there is no bound.
        """
        try:
            return self._count(self._document["checks"][number], (), 0)
        except _Unbounded:
            return None

    def _count(self, value: Any, above: tuple[int, ...], steps: int) -> int:
        """`above` are the references followed on the way here."""
        if isinstance(value, list):
            return sum(self._count(item, above, steps) for item in value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        if not isinstance(value, dict):
            return 0
        known = self._known.get(id(value))  # pyright: ignore[reportUnknownArgumentType]
        if known is None:
            known = 1
            for name, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
                known += self._inner(str(name), inner, above, steps)  # pyright: ignore[reportUnknownArgumentType]
                if known > SCHEMAS_MAX:
                    raise _Unbounded
            self._known[id(value)] = known  # pyright: ignore[reportUnknownArgumentType]
        return known

    def _inner(self, name: str, inner: Any, above: tuple[int, ...], steps: int) -> int:
        if name in _LATE or steps > STEPS_MAX:
            raise _Unbounded
        if name != "$ref" or not isinstance(inner, str):
            return self._count(inner, above, steps + 1)
        target = self._at(inner)
        if id(target) in above:
            raise _Unbounded
        return self._count(target, (*above, id(target)), steps + 1)

    def _at(self, reference: str) -> Any:
        """Raises: _Unbounded, for what is no pointer into the document."""
        value: Any = self._document
        if reference != "#" and not reference.startswith("#/"):
            raise _Unbounded
        for part in reference[2:].split("/") if reference != "#" else ():
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and key.isdigit() and int(key) < len(value):  # pyright: ignore[reportUnknownArgumentType]
                value = value[int(key)]  # pyright: ignore[reportUnknownVariableType]
            elif isinstance(value, dict) and key in value:
                value = value[key]  # pyright: ignore[reportUnknownVariableType]
            else:
                raise _Unbounded
        return value  # pyright: ignore[reportUnknownVariableType]
