"""A schema within a larger document refers to its own parts, and values stay what they are."""

from sebalai_exchange.topics.embedded import embedded


def test_references_within_are_led_to_where_the_schema_stands():
    schema = {
        "properties": {
            "a": {"$ref": "#/$defs/x"},
            "$ref": {"type": "string"},
            "enum": {"$ref": "#"},
        },
        "allOf": [{"$ref": "#/$defs/x"}, True],
        "$defs": {"x": {"const": {"$ref": "#/$defs/x"}, "$ref": "#named"}},
    }
    assert embedded(schema, "/at") == {
        "properties": {
            "a": {"$ref": "#/at/$defs/x"}, "$ref": {"type": "string"}, "enum": {"$ref": "#/at"},
        },
        "allOf": [{"$ref": "#/at/$defs/x"}, True],
        "$defs": {"x": {"const": {"$ref": "#/$defs/x"}, "$ref": "#named"}},
    }  # fmt: skip


def test_a_document_of_its_own_is_left_as_it_is():
    schema = {"properties": {"a": {"$id": "urn:x", "$ref": "#/$defs/x"}}}
    assert embedded(schema, "/at") == schema
