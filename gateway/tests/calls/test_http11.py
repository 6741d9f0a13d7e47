"""HTTP/1.1 as consumers speak it, byte by byte and alike on every lane (RFC 9112): what follows what
on a connection, where a body ends, what is no request. Ambiguous framing stands in
`test_smuggling`, the side of the providers in `forwarding/test_conformance`.
"""

import asyncio
import contextlib
import json
import re

import pytest
from sebalai_gateway.lanes import bounded, fast
from sebalai_gateway.serving import LANES

pytestmark = pytest.mark.parametrize("lane", LANES)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def request(bus, *lines, line=None, rest="/open/x"):
    first = line or f"GET {bus.path(rest)} HTTP/1.1"
    ours = ["Host: g", f"Authorization: Bearer {bus.token}", "Sebalai-Purpose: verifikasi-bansos"]
    return "\r\n".join([first, *ours, *lines, "", ""]).encode("latin-1")


def last(bus, *lines, **more):
    return request(bus, *lines, "Connection: close", **more)


def saying(*said, close=False):
    """A provider's answer, byte by byte."""

    async def answer(_, writer):
        for part in said:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.02)
        if close:
            writer.close()

    return answer


def statuses(answer):
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def parts(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines), body


def problem(answer):
    headers, body = parts(answer)
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    return json.loads(body)["type"].removeprefix("urn:sebalai:problem:")


@contextlib.asynccontextmanager
async def connected(bus):
    reader, writer = await asyncio.open_connection("127.0.0.1", bus.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_requests_in_one_packet_are_answered_in_their_order(bus, provider):
    several = [
        request(bus, rest="/open/1"), request(bus, rest="/closed"), request(bus, rest="/open/2"),
        last(bus, rest="/open/3"),
    ]  # fmt: skip
    answer = await bus.raw(b"".join(several))
    assert statuses(answer) == [200, 403, 200, 200]
    assert [seen.target for seen in provider.seen] == ["/open/1", "/open/2", "/open/3"]


@pytest.mark.parametrize("size", [1, 7])
async def test_request_in_small_pieces_is_the_same_request(bus, provider, size):
    said = last(bus, "Content-Length: 5", line=f"POST {bus.path()} HTTP/1.1") + b"hello"
    async with connected(bus) as (reader, writer):
        for at in range(0, len(said), size):
            writer.write(said[at : at + size])
            await writer.drain()
            await asyncio.sleep(0)
        assert statuses(await reader.read()) == [200]
    assert provider.seen[0].size == 5


async def test_targets_that_anybody_may_send_are_kept_when_they_are_short(bus):
    """A thousand long ones, which need no token, held 190 MiB for as long as the process lived."""
    long = [f"{bus.path('/open/' + str(n) * 2_000)}" for n in range(3)]
    fast._known.cache_clear()
    asked = [request(bus, line=f"GET {at} HTTP/1.1") for at in long[1:]]
    answer = await bus.raw(b"".join([*asked, last(bus, line=f"GET {long[0]} HTTP/1.1")]))
    assert statuses(answer) == [200] * 3
    assert fast._known.cache_info().currsize == 0


async def test_close_is_told_and_done_and_what_follows_is_no_request(bus, provider):
    answer = await bus.raw(last(bus) + request(bus, rest="/open/after"))
    assert statuses(answer) == [200]
    assert parts(answer)[0]["connection"] == "close"
    assert [seen.target for seen in provider.seen] == ["/open/x"]


async def test_connection_without_a_word_about_it_is_kept(bus, provider):
    async with connected(bus) as (reader, writer):
        for _ in range(3):
            writer.write(request(bus))
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"connection:" not in head.lower()
            assert await reader.readexactly(5) == b"hello"


@pytest.mark.parametrize("patience", [0.3])
async def test_connection_is_closed_when_it_asks_nothing_and_not_while_it_is_answered(
    bus, provider
):
    def after(seconds):
        async def answer(_, writer):
            await asyncio.sleep(seconds)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

        return answer

    async with connected(bus) as (reader, writer):
        for provider.answer in (after(0), after(1)):
            writer.write(request(bus))
            assert statuses(await reader.readuntil(b"\r\n\r\n")) == [200]
            assert await reader.readexactly(5) == b"hello"
        async with asyncio.timeout(10):
            assert await reader.read() == b""


@pytest.mark.parametrize("rest", ["/closed", "/../x", "/open/a;b"])
async def test_connection_is_used_again_after_a_refusal(bus, provider, rest):
    refused = request(bus, "Content-Length: 5", line=f"POST {bus.path(rest)} HTTP/1.1") + b"hello"
    answer = await bus.raw(refused + last(bus))
    assert statuses(answer)[1:] == [200]
    assert len(provider.seen) == 1


async def test_body_of_a_call_refused_before_it_came_is_no_request(bus, provider):
    hidden = request(bus, rest="/open/hidden")
    head = request(
        bus, f"Content-Length: {len(hidden)}", line=f"POST {bus.path('/closed')} HTTP/1.1"
    )
    async with connected(bus) as (reader, writer):
        writer.write(head)
        refused = await reader.readuntil(b"}")
        writer.write(hidden + last(bus, rest="/open/next"))
        answer = await reader.read()
    assert statuses(refused + answer) == [403, 200]
    assert [seen.target for seen in provider.seen] == ["/open/next"]


BODILESS = {
    "HEAD": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200),
    "HEAD of chunks": ("HEAD", CHUNKED, 200),
    "204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
    "204 that tells a length": ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204),
    "304 that tells a length": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304),
}  # fmt: skip


@pytest.mark.parametrize("name", BODILESS)
async def test_answer_without_a_body_ends_with_its_head(bus, provider, name):
    method, said, status = BODILESS[name]
    provider.answer = saying(said)
    again = [request(bus, line=f"{method} {bus.path()} HTTP/1.1"), last(bus, line=f"{method} {bus.path()} HTTP/1.1")]  # fmt: skip
    answer = await bus.raw(b"".join(again))
    assert statuses(answer) == [status, status]
    assert answer.endswith(b"\r\n\r\n")
    assert answer.count(b"\r\n\r\n") == 2


async def test_length_of_what_head_would_bring_is_told(bus, provider):
    provider.answer = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    answer = await bus.raw(last(bus, line=f"HEAD {bus.path()} HTTP/1.1"))
    assert parts(answer)[0]["content-length"] == "5000"


async def test_answer_in_chunks_comes_in_chunks_without_the_trailers(bus, provider):
    tail = b"5;a=b\r\nhello\r\n", b"6\r\n world\r\n", b"0\r\nX-Trailer: 1\r\n\r\n"
    provider.answer = saying(CHUNKED, *tail)
    headers, body = parts(await bus.raw(last(bus)))
    assert headers["transfer-encoding"] == "chunked"
    assert b"x-trailer" not in body.lower()
    assert body == b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"


async def test_answer_that_ends_with_the_providers_connection_has_an_end_of_its_own(bus, provider):
    provider.answer = saying(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", close=True)
    async with connected(bus) as (reader, writer):
        for _ in range(2):
            writer.write(request(bus))
            assert b"connection:" not in (await reader.readuntil(b"\r\n\r\n")).lower()
            assert await reader.readuntil(b"0\r\n\r\n") == b"5\r\nhello\r\n0\r\n\r\n"
    assert provider.connections == 2


async def test_interim_answers_of_the_provider_end_at_the_gateway(bus, provider):
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    provider.answer = saying(
        b"HTTP/1.1 100 Continue\r\n\r\n" + hints + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    )
    answer = await bus.raw(last(bus))
    assert statuses(answer) == [200]
    assert b"link" not in answer.lower()


async def test_answer_to_an_older_client_ends_with_the_connection(bus, provider, lane):
    provider.answer = saying(CHUNKED, b"5\r\nhello\r\n0\r\n\r\n")
    headers, body = parts(await bus.raw(request(bus, line=f"GET {bus.path()} HTTP/1.0")))
    assert headers["connection"] == "close"
    if lane == "fast":  # uvicorn sends chunks to whoever asks
        assert "transfer-encoding" not in headers
        assert body == b"hello"


@pytest.mark.parametrize("trailer", ["X-Evil: 1", "Sebalai-Purpose: other", "Host: other"])
async def test_trailers_of_a_request_are_no_headers(bus, provider, trailer):
    post = last(bus, "Transfer-Encoding: chunked", line=f"POST {bus.path()} HTTP/1.1")
    answer = await bus.raw(post, f"5;a=b\r\nhello\r\n0\r\n{trailer}\r\n\r\n".encode())
    assert statuses(answer) == [200]
    assert "x-evil" not in provider.seen[0].headers
    assert provider.seen[0].size == 5


NO_REQUESTS = {
    "nonsense": b"nonsense\r\n\r\n",
    "TLS": bytes.fromhex("160301020001fc0303") + b"\0" * 64,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nHost: g\n\n",
    "unknown method": b"FETCH / HTTP/1.1\r\nHost: g\r\n\r\n",
    "NUL in a name": b"GET / HTTP/1.1\r\nHo\0st: g\r\n\r\n",
}


@pytest.mark.parametrize("name", NO_REQUESTS)
async def test_what_is_no_request_is_told_as_a_problem_and_ends_the_connection(bus, provider, name):
    assert problem(await bus.raw(NO_REQUESTS[name])) == "request-malformed"


@pytest.mark.parametrize("broken", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nX\0: a\r\n\r\n"])
async def test_broken_request_after_a_good_one_takes_nothing_from_its_answer(bus, provider, broken):
    answer = await bus.raw(request(bus) + broken)
    assert statuses(answer) == [200]
    assert parts(answer)[0]["connection"] == "close"
    assert answer.endswith(b"hello")


async def test_two_hosts_are_one_too_many(bus, provider):
    answer = await bus.raw(last(bus, "Host: other"))
    assert statuses(answer) == [400]
    assert provider.seen == []


LARGE = {
    "line without an end": "GET /" + "a" * 400_000,
    "header without an end": "GET / HTTP/1.1\r\nX: " + "a" * 400_000,
    "large header": "GET / HTTP/1.1\r\nHost: g\r\nX: " + "a" * bounded.HEAD_BYTES_LIMIT + "\r\n\r\n",
    "many headers": "GET / HTTP/1.1\r\n" + "X: a\r\n" * (bounded.HEADERS_LIMIT + 1) + "\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
async def test_head_beyond_its_limits_ends_the_connection(bus, provider, name):
    async with connected(bus) as (reader, writer):
        writer.write(LARGE[name].encode())
        answer = await reader.read()
    assert statuses(answer) == [431]
    assert problem(answer) == "head-too-large"
    assert provider.seen == []


async def test_trailers_beyond_the_limit_of_heads_break_the_call_off(bus, provider):
    post = request(bus, "Transfer-Encoding: chunked", line=f"POST {bus.path()} HTTP/1.1")
    answer = await bus.raw(post, b"5\r\nhello\r\n0\r\n" + b"X: aaaaaaaaaaaa\r\n" * 6_000 + b"\r\n")
    assert 200 not in statuses(answer)
    assert not any(seen.is_whole for seen in provider.seen)


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: g\r\n"])
async def test_head_that_does_not_come_in_time_ends_the_connection(
    bus, provider, monkeypatch, begun
):
    monkeypatch.setattr(bounded, "HEAD_SECONDS", 0.1)
    async with connected(bus) as (reader, writer):
        writer.write(begun)
        answer = await reader.read()
    assert statuses(answer) == ([408] if begun else [])


async def test_later_head_is_waited_for_as_long_as_the_first(bus, provider, monkeypatch):
    async with connected(bus) as (reader, writer):
        writer.write(request(bus))
        assert await reader.readuntil(b"hello")
        monkeypatch.setattr(bounded, "HEAD_SECONDS", 0.1)
        writer.write(b"GET /")
        assert statuses(await reader.read()) == [408]


async def test_head_behind_the_end_of_another_is_waited_for_no_longer(bus, provider, monkeypatch):
    async with connected(bus) as (reader, writer):
        whole = request(bus)
        writer.write(whole[:40])
        await writer.drain()
        await asyncio.sleep(0.2)
        monkeypatch.setattr(bounded, "HEAD_SECONDS", 0.1)
        writer.write(whole[40:] + b"GET /")
        assert await reader.readuntil(b"hello")
        async with asyncio.timeout(10):
            # Nothing is said behind an answer that was still under way when the time was over.
            assert statuses(await reader.read()) in ([408], [])


UPGRADE = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAA")


@pytest.mark.parametrize("framing", ["Content-Length: {}", "Transfer-Encoding: chunked"])
async def test_body_behind_an_offer_of_another_protocol_is_no_request(bus, provider, framing):
    hidden = last(bus, rest="/open/hidden")
    lines = (*UPGRADE, framing.format(len(hidden)))
    async with connected(bus) as (reader, writer):
        writer.write(request(bus, *lines, line=f"POST {bus.path()} HTTP/1.1"))
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.write(hidden)
        answer = await reader.read()
    assert (statuses(answer), problem(answer)) == ([400], "request-malformed")
    assert provider.seen == []


async def test_connection_is_used_again_after_an_offer_of_another_protocol(bus, provider):
    async with connected(bus) as (reader, writer):
        for lines in (UPGRADE, (*UPGRADE, "Content-Length: 0"), ()):
            writer.write(request(bus, *lines))
            assert statuses(await reader.readuntil(b"hello")) == [200]


async def test_request_right_behind_an_offer_of_another_protocol_is_answered(bus, provider):
    async with asyncio.timeout(10):
        answer = await bus.raw(request(bus, *UPGRADE) + request(bus, *UPGRADE) + last(bus))
    assert statuses(answer) == [200, 200, 200]


async def test_older_client_is_not_told_to_continue(bus, provider):
    post = request(
        bus, "Expect: 100-continue", "Content-Length: 5", line=f"POST {bus.path()} HTTP/1.0"
    )
    assert statuses(await bus.raw(post + b"hello")) == [200]


async def test_consumer_who_closes_its_side_is_taken_for_gone_and_harms_nobody(bus, provider):
    async with connected(bus) as (reader, writer):
        writer.write(request(bus))
        writer.write_eof()
        await reader.read()
    assert statuses(await bus.raw(last(bus))) == [200]


async def test_answer_under_way_ends_and_its_connection_closes_when_the_gateway_stops(
    bus, provider, serving
):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def answer(_, writer):
        begun.set()
        await go_on.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    provider.answer = answer
    async with contextlib.AsyncExitStack() as stack:
        bus.port = await stack.enter_async_context(serving(bus.door))
        async with connected(bus) as (reader, writer):
            writer.write(request(bus))
            await begun.wait()
            stopping = asyncio.create_task(stack.aclose())
            await asyncio.sleep(0.3)
            go_on.set()
            headers, body = parts(await reader.read())
        await stopping
    assert (headers["connection"], body) == ("close", b"hello")


async def test_who_leaves_with_other_requests_waiting_is_known_to_have_left(
    bus, provider, lane, caplog
):
    provider.answer = saying(CHUNKED, *[b"5\r\nhello\r\n"] * 20, b"0\r\n\r\n")
    async with connected(bus) as (reader, writer):
        writer.write(b"".join(request(bus, rest=f"/open/{number}") for number in range(3)))
        await reader.readuntil(b"hello")
        writer.transport.abort()
    await asyncio.sleep(1.5)
    assert len(provider.seen) < 3
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
