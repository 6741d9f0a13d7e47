"""A schema set into a larger document: what it refers to within itself is found there. Pure.

Source: JSON Schema 2020-12, section 8.2.3 and the keywords of its vocabularies.
"""

from collections.abc import Mapping
from typing import Any, cast

# Under these stand values, whatever they look like; under those, schemas by names of any kind.
_VALUES = frozenset({"const", "enum", "default", "examples"})
_BY_NAME = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})


def embedded(schema: Mapping[str, Any], at: str) -> dict[str, Any]:
    """`schema` for a document in which it stands at the pointer `at`. One with an `$id` is a
    document of its own, wherever it stands.
    """
    return dict(schema) if "$id" in schema else {k: _word(k, v, at) for k, v in schema.items()}


def _word(word: str, value: Any, at: str) -> Any:
    if word in _VALUES:
        return value
    if word == "$ref" and isinstance(value, str) and (value == "#" or value.startswith("#/")):
        return f"#{at}{value[1:]}"
    if word in _BY_NAME and isinstance(value, dict):
        named = cast("dict[str, Any]", value)
        return {name: _schema(inner, at) for name, inner in named.items()}
    return _schema(value, at)


def _schema(value: Any, at: str) -> Any:
    if isinstance(value, dict):
        return embedded(cast("dict[str, Any]", value), at)
    if isinstance(value, list):
        return [_schema(inner, at) for inner in cast("list[Any]", value)]
    return value
