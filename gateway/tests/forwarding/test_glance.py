"""An answer read at a glance is read as the parser reads it, or left to the parser."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_gateway.forwarding import glance as module
from sebalai_gateway.forwarding.faults import BadFraming
from sebalai_gateway.forwarding.framing import AnswerReader
from sebalai_gateway.forwarding.glance import LINES_KNOWN, glance

PLAIN = (
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    b"Connection: keep-alive\r\n\r\n{}"
)
PIECES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK", b"HTTP/1.1 404 Not Found", b"HTTP/1.1 204 No Content", b"HTTP/1.0 200 OK",
        b"HTTP/1.1 100 Continue", b"HTTP/1.1 200", b"HTTP/2 200 OK", b"\r\n", b"\n", b"\r", b": ",
        b":", b" ", b"\t", b"\0", b"Content-Length: 2", b"content-length:2", b"Content-Length: 02",
        b"Content-Length: +2", b"Content-Length : 2", b"Content-Length: 2, 2", b"Content-Length: 3",
        b"Transfer-Encoding: chunked", b"Connection: close", b"Connection: keep-alive",
        b"Connection: x-mine", b"Upgrade: h2c", b"X-Mine: a  b ", b"Set-Cookie: a=b", b" folded",
        b"Content-Type: text/event-stream", b"Keep-Alive: timeout=5", b"X\xff: \xfe", b"\r\n\r\n",
        b"{}", b"{}{}", b"2\r\n{}\r\n0\r\n\r\n",
    ]
)  # fmt: skip


def read(data):
    """As the parser alone reads it; None what it refuses, or what is not all of an answer."""
    reader = AnswerReader(is_head_answer=False)
    reader._glance = lambda _: False
    try:
        reader.feed(data)
    except BadFraming:
        return None
    if not reader.is_reusable or reader.is_endless or reader.idle_seconds is not None:
        return None
    return reader.status, reader.headers, reader.take()


def test_ordinary_answer_is_read_at_a_glance():
    assert glance(PLAIN) == read(PLAIN)
    assert glance(PLAIN)[2] == b"{}"


@pytest.mark.parametrize(
    "data",
    [
        PLAIN + b"{}",
        PLAIN[:-1],
        PLAIN.replace(b"keep-alive", b"close"),
        PLAIN.replace(b"nginx\r\n", b"nginx\r\nContent-Length: 2\r\n"),
        PLAIN.replace(b"nginx\r\n", b"nginx\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"),
        PLAIN.replace(b"application/json", b"text/event-stream"),
        PLAIN.replace(b"200 OK", b"204 No Content"),
        PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
        PLAIN.replace(b"\r\nServer", b"\nServer"),
        PLAIN.replace(b"nginx\r\n", b"nginx\r\nTransfer-Encoding: chunked\r\n"),
        # The parser keeps what stands behind a value.
        PLAIN.replace(b"nginx\r\n", b"nginx \r\n"),
        PLAIN.replace(b"nginx\r\n", b"nginx\t\r\n"),
    ],
)
def test_anything_unusual_is_left_to_the_parser(data):
    assert glance(data) is None


@given(st.lists(PIECES, max_size=14).map(b"".join))
def test_what_is_read_at_a_glance_the_parser_reads_alike(data):
    found = glance(data)
    assert found is None or found == read(data)


@given(st.integers(0, len(PLAIN) - 1), st.binary(max_size=3), st.integers(0, 2))
def test_a_broken_answer_is_never_read_otherwise_than_by_the_parser(at, inserted, left_out):
    data = PLAIN[:at] + inserted + PLAIN[at + left_out :]
    found = glance(data)
    assert found is None or found == read(data)


@pytest.mark.parametrize("row", [b" ", b"\t ", b"a ", b" a"])
@pytest.mark.parametrize("end", [b"\x80", b"\x7f"])
def test_no_row_of_spaces_holds_the_process_up(row, end):
    """One line of a provider was tried in every part of its spaces: 20 s in which nobody was served.
    The guard is of the processor's time, and a thousand times of what it takes.
    """

    def held_up(*_):
        raise AssertionError

    signal.signal(signal.SIGVTALRM, held_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, 5)
    try:
        assert (
            glance(PLAIN.replace(b"nginx\r\n", b"%b%b\r\n" % ((row * 60_000)[:60_000], end)))
            is None
        )
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, signal.SIG_DFL)


def test_what_may_tell_of_a_person_is_not_kept_and_what_is_kept_is_bounded():
    module._lines.clear()
    assert glance(PLAIN.replace(b"nginx\r\n", b"nginx\r\nX-Subject: budi\r\n")) is not None
    assert b"X-Subject: budi" not in module._lines
    for size in range(LINES_KNOWN + 10):
        body = b"x" * size
        glance(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (size, body))
    assert 0 < len(module._lines) <= LINES_KNOWN
