"""Whoever is slow makes the other side wait: what lies in between stays small, on every lane."""

import asyncio
import contextlib
import socket

import pytest
from sebalai_gateway.lanes.bounded import BoundedProtocol
from sebalai_gateway.serving import LANES

pytestmark = pytest.mark.parametrize("lane", LANES)
PIECE = b"x" * 65_536
PIECES = 1_024  # 64 MiB
# Buffers of five sockets, as large as the kernel makes them, and two of the gateway.
BETWEEN_BYTES = 24 * 1024 * 1024
STILL_SECONDS = 0.5
READ_BYTES = 256 * 1024  # of uvloop at a time


async def settled(read):
    """The value once it has stood still for a while."""
    value, since = read(), 0.0
    while since < STILL_SECONDS:
        await asyncio.sleep(0.05)
        value, since = (value, since + 0.05) if read() == value else (read(), 0.0)
    return value


def head(bus, method, *lines):
    ours = ["Host: g", f"Authorization: Bearer {bus.token}", "Sebalai-Purpose: verifikasi-bansos"]
    first = f"{method} {bus.path(interface='besar')} HTTP/1.1"
    return "\r\n".join([first, *ours, *lines, "", ""]).encode()


async def test_provider_waits_for_a_reader_who_does_not_read(bus, provider):
    sent = 0

    async def answer(_, writer):
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(PIECE) * PIECES))
        with contextlib.suppress(ConnectionError):
            for _ in range(PIECES):
                writer.write(PIECE)
                await writer.drain()
                sent += len(PIECE)

    provider.answer = answer
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        slow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(slow, ("127.0.0.1", bus.port))
        await loop.sock_sendall(slow, head(bus, "GET"))
        assert await settled(lambda: sent) < BETWEEN_BYTES
        got = 0
        while not got or got < len(PIECE) * PIECES:
            got += len(await loop.sock_recv(slow, 1 << 20))
    assert sent == len(PIECE) * PIECES


async def test_consumer_waits_for_a_provider_who_does_not_read(bus, provider):
    sent, go_on = 0, asyncio.Event()

    async def wait(_):
        await go_on.wait()

    async def send(writer):
        nonlocal sent
        for _ in range(PIECES):
            writer.write(PIECE)
            await writer.drain()
            sent += len(PIECE)

    provider.before_body = wait
    reader, writer = await asyncio.open_connection("127.0.0.1", bus.port)
    writer.write(head(bus, "PUT", f"Content-Length: {len(PIECE) * PIECES}", "Connection: close"))
    sending = asyncio.create_task(send(writer))
    assert await settled(lambda: sent) < BETWEEN_BYTES
    go_on.set()
    await sending
    assert (await reader.read()).startswith(b"HTTP/1.1 200")
    assert provider.seen[0].size == sent == len(PIECE) * PIECES
    writer.close()


async def test_requests_that_wait_for_their_turn_make_the_next_ones_wait(bus, monkeypatch):
    most, once = 0, BoundedProtocol.on_headers_complete

    def count(self):
        nonlocal most
        once(self)
        most = max(most, len(self.pipeline))

    async def read_on():
        while await reader.read(65_536):
            pass

    monkeypatch.setattr(BoundedProtocol, "on_headers_complete", count)
    one = f"GET {bus.path()} HTTP/1.1\r\nHost: g\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", bus.port)
    reading = asyncio.create_task(read_on())
    writer.write(one * 30_000)
    assert 0 < await settled(lambda: most) < 2 * READ_BYTES // len(one), most
    reading.cancel()
    writer.transport.abort()
