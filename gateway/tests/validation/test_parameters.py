"""Values of parameters held against a contract: what a text can mean, and what it cannot."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_gateway.validation.contract import Contract
from sebalai_gateway.validation.parameters import readings

SCHEMAS = {
    "page": {"type": "integer", "minimum": 1},
    "kind": {"$ref": "#/components/schemas/Kind"},
    "ids": {"type": "array", "items": {"type": "integer"}},
    "is_open": {"type": ["boolean", "null"]},
    "code": {"type": "string", "pattern": "^[0-9]{4}$"},
    "filter": {"type": "object", "required": ["a"]},
    "odd": {"anyOf": [{"type": "object"}]},
    "id": {"type": "integer"},
    "X-Kind": {"$ref": "#/components/schemas/Kind"},
}
NUMBERS = {name: number for number, name in enumerate(SCHEMAS)}


def parameter(place, name, is_required=False):
    return [place, name, is_required, NUMBERS.get(name)]


QUERY = ["page", "kind", "ids", "is_open", "code", "filter", "odd"]
PACK = {
    "draft": 202012,
    "document": {
        "checks": list(SCHEMAS.values()),
        "components": {"schemas": {"Kind": {"type": "string", "enum": ["a", "b"]}}},
    },
    "operations": [
        {
            "method": "GET", "path": "/things/{id}", "body_required": False, "request": {},
            "responses": {}, "parameters": [
                *(parameter("query", name) for name in QUERY),
                parameter("query", "since", True), parameter("path", "id", True),
                parameter("header", "X-Kind", True), parameter("header", "X-Road-Id", True),
                parameter("header", "X-Api-Key", True), parameter("cookie", "page", True),
            ],
        }
    ],
}  # fmt: skip
KIND = ((b"x-kind", b"a"),)


def told(query="", path="/things/7", headers=KIND):
    contract = Contract(json.dumps(PACK).encode())
    found = contract.operation("GET", path)
    said = contract.said(found, path, headers, "x-api-key")
    return contract.request(found, f"since=1&{query}".encode(), None, b"", said)


@pytest.mark.parametrize(
    "query",
    ["page=2", "kind=a&kind=b", "ids=1&ids=2", "ids=1,2", "ids=1%7C2", "is_open=true", "code=0012",
     "is_open=null", "page=", "filter%5Ba%5D=1", "filter=a,1", "odd=x", "unknown=%00", "page=1e2"],
)  # fmt: skip
def test_what_the_contract_describes_deviates_in_nothing(query):
    assert told(query) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("page=0", "request.query/page: minimum"),
        ("page=two", "request.query/page: type"),
        ("page=2&page=x", "request.query/page: type"),
        ("page=0x10", "request.query/page: type"),
        ("kind=c", "request.query/kind: enum"),
        ("ids=1,x", "request.query/ids/*: type"),
        ("is_open=yes", "request.query/is_open: type"),
        ("code=12", "request.query/code: pattern"),
        ("code=1971010101010001", "request.query/code: pattern"),
    ],
)
def test_what_it_does_not_describe_is_named_without_its_value(query, found):
    assert told(query) == [found]


def test_path_and_headers_are_judged_too():
    assert told(path="/things/x") == ["request.path/id: type"]
    assert told(headers=((b"x-kind", b"c"),)) == ["request.header/X-Kind: enum"]
    assert told(headers=()) == ["request.header: X-Kind required"]


def test_a_required_parameter_that_is_missing_is_named():
    contract = Contract(json.dumps(PACK).encode())
    found = contract.operation("GET", "/things/7")
    said = contract.said(found, "/things/7", KIND, "x-api-key")
    assert contract.request(found, b"", None, b"", said) == ["request.query: since required"]


@given(st.lists(st.text(), min_size=1, max_size=4), st.sampled_from(["string", "array", "number"]))
def test_every_text_has_a_reading_as_itself(values, kind):
    found = [*readings(values, frozenset({kind}))]
    if kind == "array":
        assert values in found[0]
    else:
        assert [one[0] for one in found] == values
