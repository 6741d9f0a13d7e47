"""Filters of subscriptions, as the CloudEvents Subscriptions API means them."""

import contextlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_exchange.subscriptions.filters import (
    MalformedFilterError,
    compile_filters,
    type_matches,
)

EVENT = {"type": "a.b.c.v1", "subject": "family-1", "source": "/a/b", "priority": 3}


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        ([], True),
        ([{"exact": {"subject": "family-1"}}], True),
        ([{"exact": {"subject": "family-2"}}], False),
        ([{"exact": {"priority": "3"}}], True),
        ([{"prefix": {"subject": "family-", "source": "/a"}}], True),
        ([{"suffix": {"subject": "-2"}}], False),
        ([{"exact": {"missing": "x"}}], False),
        ([{"not": {"exact": {"missing": "x"}}}], True),
        ([{"any": [{"exact": {"subject": "x"}}, {"prefix": {"type": "a."}}]}], True),
        ([{"all": [{"exact": {"subject": "x"}}, {"prefix": {"type": "a."}}]}], False),
        ([{"prefix": {"type": "a."}}, {"suffix": {"type": ".v2"}}], False),
        ([{"sql": "subject LIKE 'family-%' AND priority > 2"}], True),
        ([{"sql": "priority > 3"}], False),
        ([{"not": {"sql": "EXISTS missing"}}, {"exact": {"priority": "3"}}], True),
    ],
)
def test_a_filter_lets_through_what_it_says(filters, fits):
    assert compile_filters(filters)(EVENT) is fits


@pytest.mark.parametrize(
    ("filters", "pointer"),
    [
        ([{}], "/0"),
        (["x"], "/0"),
        ([{"exact": {}, "prefix": {}}], "/0"),
        ([{"like": {"a": "b"}}], "/0"),
        ([{"exact": {"a": 1}}], "/0/exact/a"),
        ([{"exact": {"data": "x"}}], "/0/exact/data"),
        ([{"any": []}], "/0/any"),
        ([{"sql": 1}], "/0/sql"),
        ([{"any": [{"sql": "priority >"}]}], "/0/any/0/sql"),
        ([{"sql": "TRUE"}] * 6, "/5"),
        ([{"sql": "TRUE"}] * 4 + [{"exact": {f"a{n}": "b" for n in range(11)}}], "/4/exact"),
        ([{"not": {"not": {"not": {"not": {"not": {"exact": {"a": "b"}}}}}}}], "/0/not/not"),
    ],
)
def test_a_malformed_filter_is_named(filters, pointer):
    with pytest.raises(MalformedFilterError) as error:
        compile_filters(filters)
    assert error.value.pointer.startswith(pointer)


def test_a_type_pattern_is_a_type_or_its_beginning():
    assert type_matches("a.b.c.v1", "a.b.c.v1")
    assert type_matches("a.*", "a.b.c.v1")
    assert not type_matches("a.b.c.v1", "a.b.c.v2")
    assert not type_matches("b.*", "a.b.c.v1")


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (7, "7")])
def test_an_extension_is_compared_as_cloudevents_spells_it(value, text):
    assert compile_filters([{"exact": {"urgent": text}}])({"urgent": value})


def test_an_expression_that_cannot_be_read_says_at_which_character():
    with pytest.raises(MalformedFilterError) as error:
        compile_filters([{"sql": "priority >"}])
    assert error.value.detail == "character 11: a value expected, not the end"


TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=8),
    st.sampled_from(("id", "subject", "data", "EXISTS id", "id = 'a' OR id = 'b'", "NOT id")),
)
DIALECTS = ("exact", "prefix", "suffix", "all", "any", "not", "sql", "like")
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(TEXTS, st.sampled_from(DIALECTS)), inner, max_size=2),
    ),
    max_leaves=12,
)


@given(st.lists(st.one_of(VALUES, st.fixed_dictionaries({"sql": TEXTS})), max_size=4))
def test_whatever_is_asked_for_is_refused_or_can_be_kept_and_tried(filters):
    with contextlib.suppress(MalformedFilterError):
        assert compile_filters(filters)(EVENT) in (True, False)
        assert b"\\u0000" not in orjson.dumps(filters)
