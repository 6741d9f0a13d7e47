"""A consumer who stops reading gives its room back in time."""

import asyncio

import pytest


async def test_reader_of_the_last_chunk_who_never_reads_gives_its_room_back(bus, provider):
    bus.offer("macet", provider.url, total_timeout_ms=300)

    class Stuck:
        method, query, address, certificate = "GET", b"", "127.0.0.1", None
        raw_path = bus.path(interface="macet").encode()
        headers = (
            (b"host", b"g"),
            (b"authorization", f"Bearer {bus.token}".encode()),
            (b"sebalai-purpose", b"verifikasi-bansos"),
        )
        has_left = False

        async def read(self):
            return b""

        async def start(self, *_):
            pass

        async def send(self, *_, **__):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10) as bound:
            await bus.calls(Stuck())
    assert not bound.expired()
