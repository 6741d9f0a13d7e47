import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sebalai_services_catalog.datasets.queries import (
    Filter,
    NotUnderstood,
    Wanted,
    parse,
    parse_sort,
)


def test_words_and_filters_are_told_apart():
    words, filters = parse('lada "muntok white" organization:dpkp -tags:"white pepper" *:*')
    assert words == ("lada", "muntok white")
    assert filters == (Filter("organization", "dpkp"), Filter("tags", "white pepper", is_not=True))
    assert parse("dataset_type:dataset AND +owner_org:dpkp state:active") == (
        (),
        (Filter("organization", "dpkp"),),
    )


@pytest.mark.parametrize(
    "query",
    ["a OR b", "(a b)", "date:[NOW TO *]", "secret:1", "-lada", 'tags:"open', "a^2", "x" * 501,
     "a\x00b", "NOT a", "a || b", "a||b", "a && b", "!lada", "tags:!lada", "+!lada", "lad*", "l?da",
     "tags:la*", "-tags:*", "-*:*", "-state:active", r"tags:white\ pepper"],
)  # fmt: skip
def test_what_is_not_understood_is_refused_instead_of_guessed(query):
    with pytest.raises(NotUnderstood):
        parse(query)


def test_what_stands_in_quotation_marks_is_no_operator():
    assert parse('"lada?" tags:"a*b" "AND" "R && D"') == (
        ("lada?", "AND", "R && D"),
        (Filter("tags", "a*b"),),
    )


@given(st.text(max_size=80))
@example('""')
@example('tags:""')
def test_any_text_is_understood_or_refused(query):
    try:
        words, filters = parse(query)
    except NotUnderstood:
        return
    assert all(word and word in query for word in words)
    assert all(one.value in query for one in filters)


def test_sorting_knows_four_fields():
    assert parse_sort("score desc, title_string asc") == (("title_string", False),)
    assert parse_sort("score desc") == Wanted().sort
    for wrong in ("id; DROP TABLE dataset", "name sideways", "views desc"):
        with pytest.raises(NotUnderstood):
            parse_sort(wrong)
