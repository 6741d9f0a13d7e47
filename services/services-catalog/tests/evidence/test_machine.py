"""A consent as pure rules: used once at most, ended for good, and what is taken over of an answer."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_services_catalog.evidence.machine import MOVES, OPEN, NoSuchStep, after
from sebalai_services_catalog.evidence.matching import NoMatch, Unreadable, take_over

ACTS = st.lists(st.sampled_from(sorted({act for _, act in MOVES})), max_size=12)


@given(ACTS)
def test_evidence_is_used_once_and_only_what_was_previewed(acts):
    state, used = "given", 0
    for act in acts:
        try:
            now = after(state, act)
        except NoSuchStep:
            continue
        assert act != "accept" or state == "previewed"
        assert state in OPEN or act in ("withdraw", "fail")
        assert state in OPEN or now not in OPEN
        used += act == "accept"
        state = now
    assert used <= 1


PERSON = {"nik": "9901", "family": "F-001", "name": "Budi", "born": 1990}


def test_only_the_listed_fields_are_taken_over_and_hash_alike_however_they_are_sorted():
    taken = take_over(orjson.dumps({"items": [PERSON]}), ("family", "f-001"), ["name", "born"])
    turned = dict(reversed(PERSON.items()))
    again = take_over(orjson.dumps({"items": [turned]}), ("family", "F-001"), ["born", "name"])
    assert taken.document == {"name": "Budi", "born": 1990}
    assert taken.sha256 == again.sha256
    assert b"9901" not in taken.content


@pytest.mark.parametrize("items", [[], [PERSON, PERSON], [PERSON | {"family": "F-002"}]])
def test_nobody_several_or_somebody_else_is_no_match(items):
    with pytest.raises(NoMatch):
        take_over(orjson.dumps({"items": items}), ("family", "F-001"), ["name"])


@given(
    st.one_of(
        st.binary(max_size=40),
        st.recursive(st.none() | st.text(max_size=5), st.lists, max_leaves=5).map(orjson.dumps),
        st.just(orjson.dumps({"items": [PERSON | {"name": {"deep": 1}}]})),
        st.just(orjson.dumps({"items": [PERSON | {"name": "x" * 501}]})),
    )
)
def test_an_answer_of_another_shape_is_unreadable_and_nothing_else(answer):
    with pytest.raises(Unreadable):
        take_over(answer, ("family", "F-001"), ["name"])
