"""Names go there and back; draft 7 is taken where it means the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_exchange.govstack.drafts import DRAFT_7, OtherMeaningError, modern
from sebalai_exchange.govstack.names import MalformedNameError, to_ours, to_theirs

ROOM = "ID-BB/GOV/dp3acskb/kependudukan"


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,15}", fullmatch=True))
def test_a_name_comes_back_as_it_was_given(name):
    assert to_theirs(ROOM, to_ours(ROOM, name)) == name


@given(
    st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,15}", fullmatch=True),
    st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,15}", fullmatch=True),
)
def test_two_names_are_two_types(one, other):
    assert (to_ours(ROOM, one) == to_ours(ROOM, other)) == (one == other)


@given(st.text(max_size=40))
def test_any_text_is_a_type_or_refused(name):
    try:
        kind = to_ours(ROOM, name)
    except MalformedNameError:
        return
    assert to_ours(ROOM, to_theirs(ROOM, kind)) == kind


@pytest.mark.parametrize(
    "kind",
    ["dp3acskb.birth.recorded.v1", "dp3acskb.kependudukan.new-birth.v2", "catalog.request.filed.v1",
     "dp3acskb.kependudukan.new--birth.v1", "dp3acskb.kependudukan.9birth.v1"],
)  # fmt: skip
def test_a_type_of_another_making_keeps_its_whole_name(kind):
    assert to_theirs(ROOM, kind) == kind == to_ours(ROOM, kind)


def test_draft_7_is_taken_where_both_mean_the_same():
    schema = {"type": "object", "definitions": {"n": {"type": "integer"}},
              "properties": {"n": {"$ref": "#/definitions/n"}}}  # fmt: skip
    assert modern({"$schema": f"{DRAFT_7}#"} | schema) == schema
    other = {"$schema": "https://json-schema.org/draft/2020-12/schema", "items": [1]}
    assert modern(other) == other


@pytest.mark.parametrize(
    ("part", "pointer"),
    [
        ({"properties": {"a": {"items": [{}, {}]}}}, "/properties/a/items"),
        ({"dependencies": {"a": ["b"]}}, "/dependencies"),
        ({"anyOf": [{"additionalItems": False}]}, "/anyOf/0/additionalItems"),
        ({"properties": {"a": {"$ref": "#", "type": "object"}}}, "/properties/a/$ref"),
    ],
)
def test_draft_7_is_refused_where_it_means_something_else(part, pointer):
    with pytest.raises(OtherMeaningError) as raised:
        modern({"$schema": DRAFT_7} | part)
    assert raised.value.pointer == pointer
