"""The claims parameter is read whatever is in it, and what is kept of it can be kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_identity.oauth import claims
from sebalai_identity.oauth.errors import OAuthError

WISHES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda c: st.lists(c) | st.dictionaries(st.sampled_from(["essential", "value", "values"]), c),
    max_leaves=5,
)


@given(WISHES)
def test_any_wish_for_an_acr_is_read_or_refused_without_a_fault(wish):
    asked = json.dumps({"id_token": {"acr": wish}})
    if wish is None or isinstance(wish, dict):
        read = claims.read(asked)
        assert all(isinstance(one, str) for one in claims.essential_acr(read))
    else:
        with pytest.raises(OAuthError):
            claims.read(asked)


def test_what_is_understood_is_kept_and_nothing_else():
    asked = {
        "id_token": {
            "acr": {"essential": True, "values": ["a", 5, "b\x00"], "more": [[[]]]},
            "name": None,
            "n\x00": None,
        },
        "userinfo": {"email": {"value": "x"}},
        "elsewhere": {"name": None},
    }
    read = claims.read(json.dumps(asked))
    assert read == {
        "id_token": {"acr": {"essential": True, "values": ["a"]}, "name": None},
        "userinfo": {"email": {"essential": False, "values": ["x"]}},
    }
    assert claims.essential_acr(read) == ("a",)
    assert claims.essential_acr(claims.read('{"id_token": {"acr": {"value": "a"}}}')) == ()


@pytest.mark.parametrize(
    "asked",
    [
        "x" * (claims.LENGTH_MAX + 1),
        "{",
        "[]",
        '{"id_token": []}',
        '{"id_token": {"acr": 5}}',
        json.dumps({"userinfo": {str(number): None for number in range(claims.NAMES_MAX + 1)}}),
    ],
)
def test_claims_too_long_too_many_or_of_another_form_are_refused(asked):
    with pytest.raises(OAuthError):
        claims.read(asked)
