"""Raw bytes that two readers could read as different requests: refused, and nothing hidden inside
them reaches the provider. Each vector carries a second request with a good token.
"""

import pytest
from sebalai_gateway.serving import LANES

pytestmark = pytest.mark.parametrize("lane", LANES)


def hidden(bus):
    return (
        f"GET {bus.path('/open/hidden')} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {bus.token}\r\n"
        "Sebalai-Purpose: verifikasi-bansos\r\nConnection: close\r\n\r\n"
    ).encode()


def head(bus, *lines, line=None):
    first = line or f"POST {bus.path()} HTTP/1.1"
    ours = ["Host: g", f"Authorization: Bearer {bus.token}", "Sebalai-Purpose: verifikasi-bansos"]
    return "\r\n".join([first, *ours, *lines, "", ""]).encode("latin-1")


AMBIGUOUS = {
    "length and chunked": ("Content-Length: 6", "Transfer-Encoding: chunked"),
    "chunked and length": ("Transfer-Encoding: chunked", "Content-Length: 6"),
    "two lengths": ("Content-Length: 0", "Content-Length: 200"),
    "two equal lengths": ("Content-Length: 5", "Content-Length: 5"),
    "list of lengths": ("Content-Length: 0, 200",),
    "signed length": ("Content-Length: +5",),
    "negative length": ("Content-Length: -1",),
    "hexadecimal length": ("Content-Length: 0x5",),
    "huge length": ("Content-Length: 99999999999999999999999",),
    "unknown coding": ("Transfer-Encoding: xchunked",),
    "coding twice": ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    "coding list": ("Transfer-Encoding: identity, chunked",),
    "coding with a vertical tab": ("Transfer-Encoding: \x0bchunked",),
    "space before the colon": ("Transfer-Encoding : chunked",),
    "folded line": ("X-A: b", " Transfer-Encoding: chunked"),
    "nought byte": ("X-A: b\x00Transfer-Encoding: chunked",),
    "bare carriage return": ("X-A: b\rTransfer-Encoding: chunked",),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
async def test_ambiguous_framing_is_refused_and_hides_nothing(bus, provider, name):
    body = b"0\r\n\r\n"
    answer = await bus.raw(head(bus, *AMBIGUOUS[name]), body + hidden(bus))
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413")) or answer == b"", answer[:200]
    assert not [seen for seen in provider.seen if "hidden" in seen.target]
    assert provider.seen == []


CHUNKS = {
    "size is no number": b"zz\r\nhello\r\n0\r\n\r\n",
    "size is negative": b"-1\r\nhello\r\n0\r\n\r\n",
    "size overflows": b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "size with a prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "data longer than its size": b"3\r\nhello\r\n0\r\n\r\n",
    "line ends with line feed alone": b"5\nhello\n0\n\n",
}


@pytest.mark.parametrize("name", CHUNKS)
async def test_broken_chunks_are_refused_and_hide_nothing(bus, provider, name):
    answer = await bus.raw(head(bus, "Transfer-Encoding: chunked"), CHUNKS[name] + hidden(bus))
    assert b"HTTP/1.1 200" not in answer, answer[:200]
    assert not [seen for seen in provider.seen if "hidden" in seen.target or seen.is_whole]


@pytest.mark.parametrize(
    "target",
    ["http://other.test{path}", "//other.test{path}", "{path}#frag", "*", "{path} x"],
)
async def test_targets_other_than_a_path_never_reach_the_provider(bus, provider, target):
    line = f"GET {target.replace('{path}', bus.path())} HTTP/1.1"
    answer = await bus.raw(head(bus, "Connection: close", line=line))
    if provider.seen:
        # The absolute form of our own path is the path (RFC 9112, 3.2.2), and the server drops a
        # fragment: what was checked is what is forwarded.
        assert target.startswith("http://") or target.endswith("#frag")
        assert provider.seen[0].target == "/open/x"
        assert "other.test" not in provider.seen[0].headers["Host"]
    else:
        assert answer[9:10] in (b"4", b"5") or answer == b""


async def test_two_requests_in_one_packet_are_two_calls_in_order(bus, provider):
    first = head(bus, "Content-Length: 5")
    answer = await bus.raw(first, b"hello" + hidden(bus))
    assert answer.count(b"HTTP/1.1 200") == 2
    assert [(seen.target, seen.size) for seen in provider.seen] == [
        ("/open/x", 5),
        ("/open/hidden", 0),
    ]


async def test_head_larger_than_any_honest_one_is_refused(bus, provider):
    answer = await bus.raw(head(bus, *(f"X-{n}: {'a' * 8_000}" for n in range(20))))
    assert b"HTTP/1.1 200" not in answer
    assert provider.seen == []


async def test_body_is_asked_for_only_once_the_call_is_allowed(bus, provider):
    expecting = "Expect: 100-continue", "Content-Length: 5", "Connection: close"
    allowed = await bus.raw(head(bus, *expecting), b"hello")
    assert allowed.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")
    closed = bus.path("/closed")
    refused = await bus.raw(head(bus, *expecting, line=f"POST {closed} HTTP/1.1"))
    assert refused.startswith(b"HTTP/1.1 403")


async def test_trailers_end_at_the_gateway(bus, provider):
    body = b"5\r\nhello\r\n0\r\nX-Evil: 1\r\nSebalai-Caller: forged\r\n\r\n"
    answer = await bus.raw(head(bus, "Transfer-Encoding: chunked", "Connection: close"), body)
    assert answer.startswith(b"HTTP/1.1 200")
    assert provider.seen[0].size == 5
    assert {"X-Evil", "Sebalai-Caller"}.isdisjoint(provider.seen[0].headers)
