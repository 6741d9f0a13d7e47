"""JSON Schema of draft 7, which GovStack's example is written in, read as 2020-12. Pure.

Taken where both drafts mean the same, refused where they do not: a schema is a promise.
Source: JSON Schema 2020-12, appendix of changes; draft-07 section 8.3 (`$ref` alone).
"""

from collections.abc import Iterator
from typing import Any, cast

DRAFT_7 = "http://json-schema.org/draft-07/schema"
# A schema that nests deeper is refused for that.
DEPTH_LIMIT = 64
_CHANGED = ("additionalItems", "dependencies", "$recursiveRef", "$recursiveAnchor")
_BESIDE_REF = frozenset({"$ref", "$comment", "title", "description"})


class OtherMeaningError(ValueError):
    """`pointer` names what draft 2020-12 would read otherwise."""

    def __init__(self, pointer: str) -> None:
        super().__init__("means something else in draft 2020-12; write the schema in that one")
        self.pointer = pointer


def modern(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without the word for draft 7. Raises: OtherMeaningError."""
    if str(schema.get("$schema", "")).rstrip("#") != DRAFT_7:
        return schema
    for pointer in _changed(schema, "", DEPTH_LIMIT):
        raise OtherMeaningError(pointer)
    return {name: value for name, value in schema.items() if name != "$schema"}


def _changed(value: Any, at: str, levels: int) -> Iterator[str]:
    if levels == 0:
        return
    if isinstance(value, list):
        for number, inner in enumerate(cast("list[Any]", value)):
            yield from _changed(inner, f"{at}/{number}", levels - 1)
    elif isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        yield from (f"{at}/{name}" for name in _CHANGED if name in fields)
        if isinstance(fields.get("items"), list):
            yield f"{at}/items"
        if isinstance(fields.get("$ref"), str) and not fields.keys() <= _BESIDE_REF:
            yield f"{at}/$ref"
        for name, inner in fields.items():
            yield from _changed(inner, f"{at}/{name}", levels - 1)
