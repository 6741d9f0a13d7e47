"""What a schema may be, and what breaks a promise: sixty changes with their verdict."""

import pytest
from sebalai_exchange.topics.rules import (
    SchemaRefusedError,
    breaks,
    compile_schema,
    faults,
    first_bad_example,
)

OLD = {
    "type": "object",
    "required": ["a"],
    "properties": {
        "a": {"type": "string", "minLength": 2, "maxLength": 10},
        "n": {"type": "integer", "minimum": 1, "maximum": 9},
        "kind": {"enum": ["x", "y"]},
        "open": {"enum": ["x", "y"], "x-open": True},
        "list": {"type": "array", "items": {"type": "string"}, "maxItems": 5},
        "inner": {"type": "object", "properties": {"b": {"type": "boolean"}}, "required": ["b"]},
    },
}


def changed(path, value):
    """OLD with the value at `path` replaced; None takes it away."""
    import copy  # noqa: PLC0415

    new = copy.deepcopy(OLD)
    at = new
    *way, last = path.split("/")
    for step in way:
        at = at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return new


FREE = [
    ("properties/c", {"type": "string"}),
    ("properties/inner/properties/c", {"type": "string"}),
    ("properties/open", {"enum": ["x", "y", "z"], "x-open": True}),
    ("properties/a/minLength", 1),
    ("properties/a/minLength", None),
    ("properties/a/maxLength", 11),
    ("properties/a/maxLength", None),
    ("properties/n/minimum", 0),
    ("properties/n/maximum", 10),
    ("properties/list/maxItems", 6),
    ("properties/list/maxItems", None),
    ("title", "A title"),
    ("properties/a/description", "said better"),
]
BROKEN = [
    ("properties/a", None),
    ("properties/n", None),
    ("properties/inner/properties/b", None),
    ("properties/a/type", "integer"),
    ("properties/n/type", "number"),
    ("properties/a/type", None),
    ("properties/a/minLength", 3),
    ("properties/a/maxLength", 9),
    ("properties/n/minimum", 2),
    ("properties/n/maximum", 8),
    ("properties/n/exclusiveMinimum", 0),
    ("properties/n/multipleOf", 2),
    ("properties/a/pattern", "^x"),
    ("properties/a/format", "uuid"),
    ("properties/a/const", "xx"),
    ("properties/kind/enum", ["x", "y", "z"]),
    ("properties/kind/enum", ["x"]),
    ("properties/open", {"enum": ["x"], "x-open": True}),
    ("properties/list/items", {"type": "integer"}),
    ("properties/list/items", None),
    ("properties/list/maxItems", 4),
    ("properties/list/minItems", 1),
    ("properties/list/uniqueItems", True),
    ("properties/inner/required", ["b", "c"]),
    ("properties/inner/required", []),
    ("properties/inner/type", "array"),
    ("required", ["a", "n"]),
    ("required", []),
    ("additionalProperties", False),
    ("type", "array"),
    ("allOf", [{"required": ["n"]}]),
    ("anyOf", [{"required": ["n"]}]),
    ("not", {"required": ["n"]}),
    ("if", {"required": ["n"]}),
    ("dependentRequired", {"a": ["n"]}),
    ("patternProperties", {"^x": {"type": "string"}}),
    ("propertyNames", {"maxLength": 3}),
    ("minProperties", 1),
    ("maxProperties", 9),
    ("properties/a/$ref", "#/$defs/x"),
    ("properties", None),
]


def test_nothing_is_broken_by_nothing():
    assert list(breaks(OLD, OLD)) == []


@pytest.mark.parametrize(("path", "value"), FREE)
def test_what_may_be_added_freely(path, value):
    assert list(breaks(OLD, changed(path, value))) == []


@pytest.mark.parametrize(("path", "value"), BROKEN)
def test_what_breaks_a_promise_is_named(path, value):
    found = list(breaks(OLD, changed(path, value)))
    assert found
    assert all(isinstance(one, str) for one in found)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "text"},
        {"$schema": "http://json-schema.org/draft-07/schema#"},
        {"$ref": "https://elsewhere.example/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"pattern": "(?=x)"},
        {"properties": {"a": {"pattern": "("}}},
        {"description": "x" * 70_000},
    ],
)
def test_a_document_that_cannot_be_a_schema_is_refused(schema):
    with pytest.raises(SchemaRefusedError):
        compile_schema(schema)


def test_a_schema_nested_too_deep_is_refused():
    schema: dict = {}
    for _ in range(40):
        schema = {"not": schema}
    with pytest.raises(SchemaRefusedError, match="deeper"):
        compile_schema(schema)


def test_a_regular_expression_cannot_hold_the_bus_up():
    validator = compile_schema({"properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}})
    assert faults(validator, {"a": "a" * 10_000 + "!"})


def test_a_fault_names_the_place_and_not_the_value():
    validator = compile_schema(OLD)
    (found,) = faults(validator, {"a": "secret value that is long"})
    assert found["pointer"] == "/data/a"
    assert "secret" not in found["detail"]
    assert first_bad_example(validator, [{"a": "ok"}, {"a": 1}])[0] == 1
