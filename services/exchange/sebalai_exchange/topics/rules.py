"""JSON Schema 2020-12 of event types: what a schema may be, and what breaks a promise.

Pure. Fields may be added freely within a major version; nothing that a reader relies on changes.
Agencies write schemas, so patterns run on a linear engine and no reference leaves the document.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import jsonschema_rs
import orjson

Validator = jsonschema_rs.Draft202012Validator

SCHEMA_BYTES_LIMIT = 64 * 1024
DEPTH_LIMIT = 32
ERRORS_LIMIT = 10
MASK = "…"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_FIXED = (
    "type", "const", "pattern", "format", "multipleOf", "uniqueItems", "enum",
    "additionalProperties", "prefixItems", "contains", "not", "if", "then", "else", "anyOf",
    "oneOf", "allOf", "$ref",
    "dependentRequired", "patternProperties", "propertyNames",
)  # fmt: skip
_OPEN_ENUM = "x-open"


class SchemaRefusedError(ValueError):
    """The document cannot be the schema of an event type."""


def compile_schema(schema: Mapping[str, Any]) -> Validator:
    """Raises: SchemaRefusedError."""
    if len(_written(schema)) > SCHEMA_BYTES_LIMIT:
        raise SchemaRefusedError(f"a schema has at most {SCHEMA_BYTES_LIMIT} bytes")
    if schema.get("$schema", DIALECT) != DIALECT:
        raise SchemaRefusedError(f"$schema is {DIALECT}")
    try:
        jsonschema_rs.meta.validate({"$schema": DIALECT, **schema})
        return jsonschema_rs.Draft202012Validator(
            dict(schema),
            validate_formats=True,
            mask=MASK,
            pattern_options=jsonschema_rs.RegexOptions(),
            offline=True,
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise SchemaRefusedError(str(error).partition("\n")[0][:300]) from error


def _written(value: Any) -> bytes:
    """As the database keeps it. Raises: SchemaRefusedError."""
    _require_kept(value, DEPTH_LIMIT)  # first: nothing else ends well with one that is too deep
    try:
        return orjson.dumps(value)
    except TypeError as error:
        detail = "holds half a character, or a number of more than 64 bits"
        raise SchemaRefusedError(detail) from error


def _require_kept(value: Any, depth: int) -> None:
    if depth == 0:
        raise SchemaRefusedError(f"nests deeper than {DEPTH_LIMIT} levels")
    if isinstance(value, str):
        if "\0" in value:
            raise SchemaRefusedError("holds a NUL character")
    elif isinstance(value, Mapping):
        for name, inner in cast("Mapping[str, Any]", value).items():
            _require_kept(name, depth)
            _require_kept(inner, depth - 1)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            _require_kept(inner, depth - 1)


def faults(validator: Validator, data: Any) -> list[dict[str, str]]:
    """Where `data` breaks the schema, as pointers; values are masked, for one may be a NIK."""
    if validator.is_valid(data):
        return []
    found: list[dict[str, str]] = []
    for error in validator.iter_errors(data):
        pointer = "".join(f"/{part}" for part in error.instance_path)
        found.append({"pointer": f"/data{pointer}", "detail": error.message[:200]})
        if len(found) == ERRORS_LIMIT:
            break
    return found


def breaks(old: Mapping[str, Any], new: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """What in `new` would surprise a reader or a writer of `old`, one sentence each."""
    yield from _required(old, new, at)
    yield from _fixed(old, new, at)
    yield from _bounds(old, new, at)
    yield from _properties(old, new, at)
    for name in ("items", "$defs"):
        yield from _inner(old.get(name), new.get(name), f"{at}/{name}")


def _required(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> Iterator[str]:
    before, after = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(after - before):
        yield f"{at}/{name} becomes required: writers of the older version do not send it"
    for name in sorted(before - after):
        yield f"{at}/{name} is no longer required: readers of the older version rely on it"


def _fixed(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> Iterator[str]:
    for name in _FIXED:
        if old.get(name) == new.get(name):
            continue
        if name == "enum" and _is_widened(old, new):
            continue
        yield f"{at or '/'} changes {name}"


def _is_widened(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Values may be added where the older version said that more will come."""
    before, after = old.get("enum"), new.get("enum")
    if not (isinstance(before, list) and isinstance(after, list) and old.get(_OPEN_ENUM) is True):
        return False
    return all(value in cast("list[Any]", after) for value in cast("list[Any]", before))


def _bounds(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> Iterator[str]:
    for names, is_lower in ((_LOWER, True), (_UPPER, False)):
        for name in names:
            if old.get(name) != new.get(name) and not _is_relaxed(
                old, new, name, is_lower=is_lower
            ):
                yield f"{at or '/'} narrows {name}"


def _is_relaxed(
    old: Mapping[str, Any], new: Mapping[str, Any], name: str, *, is_lower: bool
) -> bool:
    if name not in old:
        return False
    if name not in new:
        return True
    return bool(new[name] <= old[name]) if is_lower else bool(new[name] >= old[name])


def _properties(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> Iterator[str]:
    before: Mapping[str, Any] = old.get("properties", {})
    after: Mapping[str, Any] = new.get("properties", {})
    for name, schema in before.items():
        if name not in after:
            yield f"{at}/{name} is removed"
        else:
            yield from _inner(schema, after[name], f"{at}/{name}")


def _inner(old: Any, new: Any, at: str) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from breaks(cast("Mapping[str, Any]", old), cast("Mapping[str, Any]", new), at)
    elif old != new and old is not None:
        yield f"{at} changes"


def first_bad_example(validator: Validator, examples: Sequence[Any]) -> tuple[int, str] | None:
    """The number and fault of the first example the schema refuses."""
    for number, example in enumerate(examples):
        try:
            _written(example)
        except SchemaRefusedError as error:
            return number, str(error)
        found = faults(validator, example)
        if found:
            return number, f"{found[0]['pointer']}: {found[0]['detail']}"
    return None
