"""A consumer who stops sending or reading gives its room back in time."""

import asyncio
from types import SimpleNamespace

import pytest
from sebalai_gateway.calls import path

TOTAL_MS = 300


async def for_ever(*_, **__):
    await asyncio.Event().wait()


class Consumer:
    """Sends nothing of a body, takes whatever it is told."""

    query, address, certificate, has_left = b"", "127.0.0.1", None, False
    read = staticmethod(for_ever)

    def __init__(self, bus, method):
        self.method, self.raw_path = method, bus.path(interface="macet").encode()
        self.headers = [
            (b"host", b"g"),
            (b"authorization", f"Bearer {bus.token}".encode()),
            (b"sebalai-purpose", b"verifikasi-bansos"),
        ]
        self.status = None

    async def start(self, status, _):
        self.status = status

    async def send(self, *_, **__):
        pass

    async def answer(self, status, headers, body):
        await self.start(status, headers)
        await self.send(body, is_last=True)

    def at_hand(self):
        return None


async def test_reader_of_the_last_chunk_who_never_reads_gives_its_room_back(bus, provider):
    bus.offer("macet", provider.url, total_timeout_ms=TOTAL_MS)
    stuck = Consumer(bus, "GET")
    stuck.read, stuck.send = lambda: asyncio.sleep(0, b""), for_ever
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10) as bound:
            await bus.calls(stuck)
    assert not bound.expired()


async def test_sender_whose_body_is_held_against_a_contract_has_the_time_of_a_call(
    bus, provider, monkeypatch
):
    async def begin(*_):
        return SimpleNamespace(deviations=[], request=for_ever)

    monkeypatch.setattr(path, "begin_check", begin)
    bus.offer("macet", provider.url, total_timeout_ms=TOTAL_MS, validate_requests="enforce")
    slow = Consumer(bus, "POST")
    slow.headers.append((b"content-length", b"9"))
    async with asyncio.timeout(10):
        await bus.calls(slow)
    assert slow.status == 499
    assert provider.seen == []


async def test_journal_that_takes_too_long_is_not_waited_for(bus, provider, monkeypatch):
    monkeypatch.setattr("sebalai_gateway.journal.writer.WAIT_SECONDS", 0.05)
    bus.offer("macet", provider.url)
    caller = Consumer(bus, "GET")
    caller.read = lambda: asyncio.sleep(0, b"")
    async with bus.database.transaction():
        await bus.database.execute("LOCK TABLE journal IN ACCESS EXCLUSIVE MODE")
        async with asyncio.timeout(10):
            await bus.calls(caller)
    assert caller.status == 503
    assert provider.seen == []
