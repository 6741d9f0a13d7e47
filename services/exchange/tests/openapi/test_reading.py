"""The child keeps to its limits, and the fast spelling is the standard's."""

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from sebalai_exchange.openapi.canonical import NotPlainJson, parse, spell
from sebalai_exchange.openapi.pack import drop_unbounded
from sebalai_exchange.openapi.running import ContractReader, ContractRefused, Reading

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def spelled(text):
    document, is_plain = parse(text)
    return spell(document, is_plain=is_plain)[0]


@given(st.dictionaries(st.text(), values, max_size=4))
def test_fast_spelling_is_the_standards(document):
    try:
        text = spelled(json.dumps(document).encode())
    except NotPlainJson:
        return
    assert text == rfc8785.dumps(document)


@pytest.mark.parametrize("text", [b"[]", b"{", b'{"a": 1e999}', b'{"a": NaN}'])
def test_what_has_no_one_spelling_is_refused(text):
    with pytest.raises(NotPlainJson):
        spelled(text)


def test_int64_is_spelled_as_the_double_it_is():
    assert spelled(b'{"a": 9223372036854775807}') == b'{"a":9223372036854775807}'.replace(
        b"5807", b"6000"
    )


def test_pattern_that_could_hold_an_engine_is_not_checked():
    document = {"pattern": "^(?!aws:)a", "properties": {"pattern": {"pattern": "^a+$"}}}
    assert drop_unbounded(document) == 1
    assert document == {"properties": {"pattern": {"pattern": "^a+$"}}}


async def refusal(document, **limits):
    with pytest.raises(ContractRefused) as caught:
        await ContractReader("http://x", **limits).read(
            Reading(document, None, "", is_checked=True)
        )
    return caught.value.detail


async def test_document_that_fills_the_memory_is_refused_and_nothing_else_happens():
    wide = b'{"openapi":"3.1.0","x":[' + b"[0]," * 3_900_000 + b"[0]]}"
    assert "256 MB" in await refusal(wide)


async def test_document_that_takes_too_long_is_refused():
    assert "2 s" in await refusal(b"{}", wait_seconds=0.0)


async def test_document_above_the_limit_is_refused_unread():
    assert "larger" in await refusal(b" " * (16 * 1024 * 1024 + 1))
