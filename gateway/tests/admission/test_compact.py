"""The parts of a compact JWS are read in one spelling only."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_gateway.admission.compact import Malformed, unpadded


@given(st.binary(max_size=80))
def test_what_is_spelled_as_the_standard_says_is_read(raw):
    assert unpadded(base64.urlsafe_b64encode(raw).rstrip(b"=")) == raw


@given(st.one_of(st.binary(max_size=9), st.text("AQgw-_+/= \n", max_size=9).map(str.encode)))
def test_whatever_is_read_has_no_second_spelling(part):
    try:
        raw = unpadded(part)
    except Malformed:
        return
    assert base64.urlsafe_b64encode(raw).rstrip(b"=") == part


@pytest.mark.parametrize(
    "part",
    [b"A", b"AB", b"AAB", b"AA==", b"A+AA", b"A/AA", b"AA\n", b"A A", b"AAAA=", b"\xff", b"AAAAA"],
)
def test_other_spellings_are_refused(part):
    with pytest.raises(Malformed):
        unpadded(part)
