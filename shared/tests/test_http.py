"""The outbound client against a real server on loopback."""

import asyncio
import contextlib
import socket
import sys
from importlib.util import find_spec

import pytest
from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sebalai_shared.telemetry import enter_trace


@contextlib.asynccontextmanager
async def provider(answer: bytes):
    heads = []

    async def serve(reader, writer):
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LOOPBACK = Reach.parse(["127.0.0.0/8"])


async def test_a_named_private_target_is_called_with_the_running_trace():
    trace = enter_trace(None)
    async with provider(OK) as (url, heads), http.client(LOOPBACK) as client:
        answer = await client.fetch(url)
    assert (answer.status_code, answer.text) == (200, "ok")
    assert trace.trace_id.encode() in heads[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_an_unnamed_internal_target_is_never_connected(host):
    async with provider(OK) as (url, heads), http.client(Reach()) as client:
        with pytest.raises(http.Error):
            await client.fetch(url.replace("127.0.0.1", host))
    assert heads == []


async def test_a_redirect_is_not_followed():
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    async with provider(moved) as (url, heads), http.client(LOOPBACK) as client:
        assert (await client.fetch(url)).status_code == 302
    assert len(heads) == 1


async def test_an_answer_over_the_limit_is_refused():
    async with provider(OK) as (url, _), http.client(LOOPBACK) as client:
        with pytest.raises(http.AnswerTooLarge):
            await client.fetch(url, limit=1)


async def test_a_name_is_tried_at_each_of_its_addresses(monkeypatch):
    async with provider(OK) as (url, _), http.client(Reach.parse(["127.0.0.0/8"])) as client:
        port = int(url.split(":")[2].split("/")[0])

        async def both(*_, **__):
            return [(socket.AF_INET, 1, 6, "", (f"127.0.0.{last}", port)) for last in (2, 1)]

        monkeypatch.setattr(http.anyio, "getaddrinfo", both)
        answer = await client.fetch(url.replace("127.0.0.1", "two.example"))
    assert answer.status_code == 200


async def test_a_name_that_resolves_nowhere_is_an_error():
    async with http.client(LOOPBACK) as client:
        with pytest.raises(http.Error):
            await client.fetch("http://nowhere.invalid/")


NO_ADDRESSES = [
    "https://127.0.0.1:abc/",
    "https://127.0.0.1:99999/",
    "https://xn--/",
    "https://[::1/",
    f"https://{'a' * 300}.example/",
    "/path",
]


@pytest.mark.parametrize("url", NO_ADDRESSES)
async def test_what_is_no_address_fails_like_every_other_call(url):
    async with http.client(LOOPBACK) as client:
        with pytest.raises(http.Error):
            await client.fetch(url)


@pytest.mark.parametrize("url", [*NO_ADDRESSES[:4], "/path", "https:///x"])
def test_what_is_no_address_is_known_before_it_is_called(url):
    assert not http.is_address(url)
    assert http.is_address("https://rp.example:8443/path")


def test_what_httpcore_asks_for_at_every_lock_is_looked_for_once():
    # Not installed, it was looked for in every folder of the path, six times a request.
    import_of = sys.modules.get("sniffio", "not settled")
    assert import_of is None or find_spec("sniffio") is not None
