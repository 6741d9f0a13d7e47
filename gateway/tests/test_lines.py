"""A head is as many lines as it has headers, whoever wrote their values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_gateway.lines import NotOneLine, head_of

FIRST = b"HTTP/1.1 200 OK\r\n"


def test_head_is_its_lines_and_an_empty_one():
    assert head_of(FIRST, []) == FIRST + b"\r\n"
    assert head_of(FIRST, [(b"a", b"1"), (b"b", b"")]) == FIRST + b"a: 1\r\nb: \r\n\r\n"


@given(st.binary(), st.sampled_from([b"\r", b"\n", b"\0", b"\r\n", b"\r\n\r\n"]), st.binary())
def test_value_that_would_begin_another_line_is_never_sent(before, end, after):
    for pair in ((b"x", before + end + after), (before + end + after, b"x")):
        with pytest.raises(NotOneLine):
            head_of(FIRST, [(b"a", b"1"), pair])
