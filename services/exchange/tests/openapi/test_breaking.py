"""What of a new contract a consumer of the former one would notice, and what it would not."""

import pytest
from sebalai_exchange.openapi.breaking import Comparison
from sebalai_exchange.openapi.reading import Reader


def contract(schema, *, is_answer=False, version="3.1.0"):
    content = {"content": {"application/json": {"schema": schema}}}
    operation = {"responses": {"200": {"description": "d"} | (content if is_answer else {})}}
    if not is_answer:
        operation["requestBody"] = content
    return Reader({"openapi": version, "paths": {"/a": {"post": operation}}})


def breaks(old, new, **how):
    return Comparison(contract(old, **how), contract(new, **how)).breaks()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({}, {"minimum": 1}, "minimum 1 is new"),
        ({"minimum": 1}, {"minimum": 2}, "minimum rose from 1 to 2"),
        ({"maxLength": 9}, {"maxLength": 8}, "maxLength fell from 9 to 8"),
        ({}, {"maxItems": 8}, "maxItems 8 is new"),
        ({}, {"exclusiveMaximum": 8}, "exclusiveMaximum 8 is new"),
        ({}, {"pattern": "^a"}, "pattern is new"),
        ({"pattern": "^a"}, {"pattern": "^b"}, "pattern became another"),
        ({"multipleOf": 2}, {"multipleOf": 4}, "multipleOf became another"),
        ({}, {"const": 2}, "const is new"),
        ({}, {"uniqueItems": True}, "uniqueItems is new"),
        ({}, {"additionalProperties": False}, "names that are not described are no longer taken"),
        ({"enum": [1, 2]}, {"enum": [1]}, "fewer values are taken"),
    ],
)
def test_what_is_taken_no_longer_breaks_for_who_sends_it_and_for_no_reader(old, new, told):
    assert breaks(old, new) == [f"POST /a: body: {told}"]
    if "enum" not in new:
        assert breaks(old, new, is_answer=True) == []
        assert breaks(new, old) == ([] if "pattern became" not in told else breaks(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({}, {"minLength": 0}),
        ({"minimum": 2}, {"minimum": 1}),
        ({"maximum": 2}, {"maximum": 2.0}),
        ({"enum": [1]}, {"enum": [1, 2]}),
        ({"additionalProperties": False}, {}),
        ({"uniqueItems": True}, {"uniqueItems": False}),
        ({"minimum": "odd"}, {"minimum": True}),
    ],
)
def test_what_is_taken_as_before_breaks_nothing(old, new):
    assert breaks(old, new) == []


def test_bounds_of_3_0_that_leave_themselves_out_are_named():
    old, new = {"minimum": 1}, {"minimum": 1, "exclusiveMinimum": True}
    assert breaks(old, new, version="3.0.3") == ["POST /a: body: exclusiveMinimum is new"]


def test_a_value_that_was_never_answered_before_breaks_for_who_reads_it():
    found = breaks({"enum": ["a"]}, {"enum": ["a", "b"]}, is_answer=True)
    assert found == ["POST /a: answer 200: holds values it never held"]
    assert breaks({"enum": ["a", "b"]}, {"enum": ["a"]}, is_answer=True) == []
    assert breaks({"enum": ["a"]}, {}, is_answer=True) == found
    assert breaks({}, {"enum": ["a"]}, is_answer=True) == []
