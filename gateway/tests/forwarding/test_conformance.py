"""The client side of HTTP/1.1, before providers with raw sockets: what is refused, what is taken,
and after what a connection is used again.
"""

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_gateway.forwarding.faults import BadFraming, ProviderTimeout, ProviderUnreachable
from sebalai_gateway.forwarding.forwarder import Forwarder, Manner
from sebalai_gateway.forwarding.framing import HEAD_BYTES_LIMIT, AnswerReader
from sebalai_shared.addresses import Reach

OK = b"HTTP/1.1 200 OK\r\n"
GOOD = OK + b"Content-Length: 5\r\n\r\nhello"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SHORT = Manner(connect_seconds=2, read_seconds=0.3)

REFUSED = {
    "length and chunked": OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "two equal lengths": OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "list of lengths": OK + b"Content-Length: 5, 5\r\n\r\nhello",
    "signed length": OK + b"Content-Length: +5\r\n\r\nhello",
    "empty length": OK + b"Content-Length:\r\n\r\nhello",
    "length overflows": OK + b"Content-Length: 99999999999999999999999\r\n\r\nhello",
    "other coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "identity coding": OK + b"Transfer-Encoding: identity\r\n\r\nhello",
    "coding twice": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked in 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "length before a space": OK + b"Content-Length : 5\r\n\r\nhello",
    "folded header": OK + b"X: a\r\n b\r\nContent-Length: 5\r\n\r\nhello",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "line feed in the head": OK + b"X: a\nContent-Length: 5\r\n\r\nhello",
    "carriage return in a value": OK + b"X: a\rContent-Length: 5\r\n\r\nhello",
    "null in a value": OK + b"X: a\0b\r\nContent-Length: 5\r\n\r\nhello",
    "header without a name": OK + b": x\r\nContent-Length: 5\r\n\r\nhello",
    "chunk size is no number": CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n",
    "chunk size is negative": CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    "chunk size has a prefix": CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "chunk size overflows": CHUNKED + b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "chunk size is missing": CHUNKED + b"\r\nhello\r\n0\r\n\r\n",
    "chunk longer than its size": CHUNKED + b"3\r\nhello\r\n0\r\n\r\n",
    "chunk lines end with line feeds": CHUNKED + b"5\nhello\n0\n\n",
    "line feed in a chunk's extension": CHUNKED + b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "length in a trailer": CHUNKED + b"0\r\nContent-Length: 3\r\n\r\n",
    "switch of protocols": b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc",
    "interim without an end": b"HTTP/1.1 103 Hints\r\n\r\n" * 20 + GOOD,
    "version 2": b"HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "version 0.9": b"HTTP/0.9 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "another protocol": b"RTSP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "no protocol": b"hello",
    "a line before the first": b"\r\n" + GOOD,
    "status too small": b"HTTP/1.1 099 X\r\nContent-Length: 5\r\n\r\nhello",
    "status too great": b"HTTP/1.1 999 X\r\nContent-Length: 5\r\n\r\nhello",
    "head without an end": OK + b"X: " + b"a" * (HEAD_BYTES_LIMIT + 10),
    "too many headers": OK + b"X: a\r\n" * 300 + b"Content-Length: 5\r\n\r\nhello",
    "trailers without an end": CHUNKED + b"0\r\n" + b"X: aaaaaaaaaaaa\r\n" * 6_000 + b"\r\n",
}  # fmt: skip
SHORT_BODIES = {
    "length": OK + b"Content-Length: 50\r\n\r\nhello",
    "chunk": CHUNKED + b"9\r\nhello",
    "chunks without the last": CHUNKED + b"5\r\nhello\r\n",
    "trailers without their end": CHUNKED + b"5\r\nhello\r\n0\r\nX: 1\r\n",
    "head": OK + b"Content-Len",
    "nothing": b"",
    "interim alone": b"HTTP/1.1 100 Continue\r\n\r\n",
}
KEPT = {
    "length": ("GET", GOOD, b"hello"),
    "chunked": ("GET", CHUNKED + b"5;a=b\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n", b"hello"),
    "chunked in capitals": ("GET", OK + b"TRANSFER-ENCODING: Chunked\r\n\r\n0\r\n\r\n", b""),
    "interim first": ("GET", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nX: 1\r\n\r\n" + GOOD, b"hello"),
    "interim that lies of a length": ("GET", b"HTTP/1.1 103 E\r\nContent-Length: 9\r\n\r\n" + GOOD, b"hello"),
    "204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "204 that tells a length": ("GET", b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", b""),
    "304 that tells a length": ("GET", b"HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\n", b""),
    "answer to HEAD": ("HEAD", OK + b"Content-Length: 5\r\n\r\n", b""),
    "answer to HEAD, chunked": ("HEAD", CHUNKED, b""),
    "without a reason": ("GET", b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", b""),
}  # fmt: skip
USED_ONCE = {
    "bytes after it": ("GET", GOOD + b"x", b"hello"),
    "a second answer": ("GET", GOOD + GOOD, b"hello"),
    "bytes after chunks": ("GET", CHUNKED + b"5\r\nhello\r\n0\r\n\r\nHTTP", b"hello"),
    "bytes after 204": ("GET", b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello", b""),
    "bytes after 304": ("GET", b"HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\nhello", b""),
    "body after HEAD": ("HEAD", GOOD, b""),
    "close": ("GET", OK + b"Connection: Close\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    "version 1.0": ("GET", b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    "kept for no time": ("GET", OK + b"Keep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n", b""),
}  # fmt: skip


class Raw:
    """A provider that says what `say` holds to each request, then closes if it is told to."""

    def __init__(self):
        self.say, self.closes, self.served, self.heads = GOOD, False, [], []
        self.connections, self.reads_body = 0, 0

    async def serve(self, reader, writer):
        self.connections += 1
        mine = self.connections
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head)
                self.served.append(mine)
                await reader.readexactly(self.reads_body)
                writer.write(self.say)
                await writer.drain()
                if self.closes:
                    break
        writer.close()


@pytest.fixture
async def raw():
    made = Raw()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
    yield made
    server.close()


@pytest.fixture
async def forwarder():
    made = Forwarder(Reach.parse(["127.0.0.1"]))
    yield made
    await made.close()


async def chunks_of(answer):
    while chunk := await answer.read():
        yield chunk


async def ask(forwarder, raw, method="GET", *, headers=(), body=None):
    answer = await forwarder.send(method, raw.url, list(headers), body, SHORT)
    is_whole = False
    try:
        found = b"".join([chunk async for chunk in chunks_of(answer)])
        is_whole = True
    finally:
        answer.close(is_complete=is_whole)
    return answer.status, found


async def after(forwarder, raw):
    """A good exchange after another; the number of the connection it went over."""
    raw.say, raw.closes, raw.reads_body = GOOD, False, 0
    assert await ask(forwarder, raw) == (200, b"hello")
    return raw.served[-1]


@pytest.mark.parametrize("name", REFUSED)
async def test_answer_with_broken_framing_is_refused_and_its_connection_never_used_again(
    raw, forwarder, name
):
    raw.say = REFUSED[name]
    with pytest.raises(BadFraming):
        await ask(forwarder, raw)
    assert forwarder.pool.counts == (0, 0)
    assert await after(forwarder, raw) == 2


@pytest.mark.parametrize("name", SHORT_BODIES)
async def test_answer_that_ends_early_is_refused_and_its_connection_never_used_again(
    raw, forwarder, name
):
    raw.say, raw.closes = SHORT_BODIES[name], True
    with pytest.raises(ProviderUnreachable):
        await ask(forwarder, raw)
    assert await after(forwarder, raw) == 2


@pytest.mark.parametrize("name", KEPT)
async def test_whole_answer_leaves_a_connection_for_the_next(raw, forwarder, name):
    method, raw.say, body = KEPT[name]
    assert (await ask(forwarder, raw, method))[1] == body
    assert await after(forwarder, raw) == 1


@pytest.mark.parametrize("name", USED_ONCE)
async def test_answer_after_which_bytes_may_follow_is_taken_and_its_connection_is_not(
    raw, forwarder, name
):
    method, raw.say, body = USED_ONCE[name]
    assert (await ask(forwarder, raw, method))[1] == body
    assert await after(forwarder, raw) == 2


async def test_answer_that_ends_with_its_connection_is_taken(raw, forwarder):
    raw.say, raw.closes = OK + b"\r\nhello", True
    assert await ask(forwarder, raw) == (200, b"hello")
    assert await after(forwarder, raw) == 2


async def test_bytes_on_an_idle_connection_end_it(raw, forwarder):
    await ask(forwarder, raw)
    connection = next(iter(forwarder.pool._hosts.values())).idle[0]
    connection.data_received(GOOD)
    assert await after(forwarder, raw) == 2


async def test_answer_before_the_body_was_sent_is_taken_and_its_connection_is_not(raw, forwarder):
    async def body():
        yield b"he"
        await asyncio.sleep(30)

    raw.reads_body = 2
    found = await ask(forwarder, raw, "POST", headers=[(b"content-length", b"5")], body=body())
    assert found == (200, b"hello")
    assert await after(forwarder, raw) == 2


async def test_answer_before_a_body_at_hand_has_gone_is_taken_and_its_connection_is_not(
    raw, forwarder
):
    """What is left of the body would be read as the next request."""
    served = []

    async def answer_at_once(reader, writer):
        served.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(GOOD)

    # More than all buffers on the way take in.
    body = b"x" * 16 * 1024 * 1024
    length = [(b"content-length", str(len(body)).encode())]
    async with await asyncio.start_server(answer_at_once, "127.0.0.1", 0, limit=1024) as server:
        raw.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
        found = await ask(forwarder, raw, "POST", headers=length, body=body)
        counts = forwarder.pool.counts
        served[0].transport.abort()
        await asyncio.sleep(0.05)
    assert (found, counts) == ((200, b"hello"), (0, 0))


@pytest.mark.parametrize("sent", [b"hell", b"hellos"])
async def test_body_of_another_length_than_told_is_cut_off(raw, forwarder, sent):
    async def body():
        yield sent

    raw.reads_body = 5
    with pytest.raises(ProviderUnreachable):
        await ask(forwarder, raw, "POST", headers=[(b"content-length", b"5")], body=body())
    assert await after(forwarder, raw) >= 1
    assert forwarder.pool.counts == (0, 1)


@pytest.mark.parametrize("say", [b"", OK, OK + b"Content-Length: 9\r\n\r\nhello", CHUNKED])
async def test_silent_provider_is_given_up(raw, forwarder, say):
    raw.say = say
    with pytest.raises(ProviderTimeout):
        await ask(forwarder, raw)
    assert await after(forwarder, raw) == 2


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        ([(b"x", b"a\r\nInjected: 1")], ""),
        ([(b"x", b"a\nInjected: 1")], ""),
        ([(b"x", b"a\0")], ""),
        ([], " HTTP/1.1\r\nInjected: 1"),
        ([], "/é"),
    ],
)
async def test_head_that_would_say_more_than_it_means_is_never_sent(raw, forwarder, headers, url):
    raw.url += url
    with pytest.raises(ProviderUnreachable) as found:
        await ask(forwarder, raw, headers=headers)
    assert found.value.is_unsent
    assert raw.heads == []


async def test_request_says_what_it_was_given_and_host_and_framing(raw, forwarder):
    await ask(forwarder, raw, "POST", headers=[(b"x-road-id", b"1")])
    authority = raw.url.removeprefix("http://").removesuffix("/x").encode()
    assert raw.heads == [
        b"POST /x HTTP/1.1\r\nhost: %b\r\nx-road-id: 1\r\ncontent-length: 0\r\n\r\n" % authority
    ]


@given(st.sampled_from(sorted(REFUSED)), st.lists(st.integers(1, 400), max_size=40))
def test_broken_framing_is_refused_however_its_bytes_are_cut(name, cuts):
    with pytest.raises(BadFraming):
        feed(AnswerReader(is_head_answer=False), REFUSED[name], cuts)


@given(st.sampled_from(sorted(KEPT)), st.lists(st.integers(1, 9), max_size=200))
def test_whole_answer_is_read_alike_however_its_bytes_are_cut(name, cuts):
    method, said, body = KEPT[name]
    reader = AnswerReader(is_head_answer=method == "HEAD")
    feed(reader, said, cuts)
    assert (reader.is_whole, reader.is_reusable, reader.take()) == (True, True, body)


def feed(reader, said, cuts):
    for cut in cuts:
        if said[:cut]:
            reader.feed(said[:cut])
        said = said[cut:]
    if said:
        reader.feed(said)
