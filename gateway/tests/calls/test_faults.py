"""When provider, consumer or journal fail under a call: who is told what, and what is recorded."""

import asyncio
import contextlib
from datetime import timedelta

import aiohttp
import pytest
from sebalai_gateway.journal.jobs import reconcile
from sebalai_gateway.serving import LANES

pytestmark = pytest.mark.parametrize("lane", LANES)


async def problem_of(answer):
    document = await answer.json(content_type="application/problem+json")
    assert document["status"] == answer.status
    return document["type"].removeprefix("urn:sebalai:problem:")


async def open_journal(bus):
    """Waits until the journal takes entries again."""
    async with asyncio.timeout(20):
        while True:
            async with bus.call() as answer:
                await answer.read()
                if answer.status == 200:
                    return
            await asyncio.sleep(0.05)


def failed(record, slug, status):
    assert (record["outcome"], record["problem"], record["status"]) == ("failed", slug, status)
    assert record["forwarded_at"] is not None


async def test_provider_that_is_down_is_502(bus):
    async with bus.call(interface="mati") as answer:
        assert (answer.status, await problem_of(answer)) == (502, "provider-unreachable")
    assert answer.headers["X-Road-Error"] == "server.network_error"
    record = await bus.record()
    failed(record, "provider-unreachable", 502)
    assert record["responded_at"] is None


async def test_provider_that_is_slow_is_504(bus, provider):
    async def answer(seen, writer):
        await asyncio.sleep(30)

    provider.answer = answer
    async with bus.call(interface="lambat") as found:
        assert (found.status, await problem_of(found)) == (504, "provider-timeout")
    failed(await bus.record(), "provider-timeout", 504)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"nonsense\r\n\r\n"])
async def test_provider_that_breaks_off_before_its_answer_is_502(bus, provider, start):
    async def answer(seen, writer):
        writer.write(start)
        writer.close()

    provider.answer = answer
    async with bus.call("POST", data=b"x") as found:
        assert (found.status, await problem_of(found)) == (502, "provider-unreachable")
    failed(await bus.record(), "provider-unreachable", 502)


@pytest.mark.parametrize(
    "head", [b"Content-Length: 100000", b"Transfer-Encoding: chunked"], ids=["length", "chunked"]
)
async def test_provider_that_breaks_off_in_its_answer_cuts_the_consumers_connection(
    bus, provider, head
):
    async def answer(seen, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")
        for _ in range(2):
            writer.write(b"5\r\nhello\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)
        writer.close()

    provider.answer = answer
    async with bus.call() as found:
        assert found.status == 200
        with pytest.raises(aiohttp.ClientError):
            await found.read()
    record = await bus.record()
    failed(record, "provider-unreachable", 502)
    assert record["response"]["bytes"] > 0


async def test_consumer_that_goes_away_in_the_answer_is_recorded(bus, provider):
    await leave(bus, provider)


async def test_consumer_that_sent_a_body_and_goes_away_in_the_answer_is_recorded(bus, provider):
    await leave(bus, provider, b"question")


async def leave(bus, provider, body=None):
    """A provider that would answer for long, and a consumer that reads a little and leaves."""

    async def answer(seen, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(150):
                writer.write(b"5\r\nhello\r\n")
                await writer.drain()
                await asyncio.sleep(0.02)
            writer.write(b"0\r\n\r\n")

    provider.answer = answer
    async with bus.call("GET" if body is None else "POST", data=body) as found:
        await found.content.readany()
        found.close()
    failed(await bus.record(), "client-disconnected", 499)


async def test_consumer_that_goes_away_in_its_body_is_recorded(bus, provider):
    head = (
        f"POST {bus.path()} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bus.token}\r\n"
        "Sebalai-Purpose: verifikasi-bansos\r\nContent-Length: 1000\r\n\r\n"
    )
    _, writer = await asyncio.open_connection("127.0.0.1", bus.port)
    writer.write(head.encode() + b"half")
    async with asyncio.timeout(20):
        while not provider.seen:
            await asyncio.sleep(0.01)
    writer.close()
    await writer.wait_closed()
    failed(await bus.record(), "client-disconnected", 499)
    assert not provider.seen[0].is_whole


async def test_without_a_journal_nothing_is_forwarded(bus, provider, journal_down):
    async with journal_down():
        async with bus.call() as answer:
            assert (answer.status, await problem_of(answer)) == (503, "journal-unavailable")
        assert answer.headers["Retry-After"] == "1"
        assert "Sebalai-Receipt" not in answer.headers
        async with bus.call(rest="/closed") as answer:
            assert (answer.status, await problem_of(answer)) == (503, "journal-unavailable")
    assert provider.seen == []
    await open_journal(bus)
    assert len(provider.seen) == 1


async def test_answer_is_withheld_when_the_journal_dies_under_the_call(
    bus, provider, journal_down, journal_url
):
    arrived, go = asyncio.Event(), asyncio.Event()
    plain = provider.answer

    async def answer(seen, writer):
        arrived.set()
        await go.wait()
        await plain(seen, writer)

    async def call():
        async with bus.call() as found:
            return found, await problem_of(found)

    provider.answer = answer
    calling = asyncio.create_task(call())
    await arrived.wait()
    async with journal_down():
        go.set()
        found, slug = await calling
    assert (found.status, slug) == (503, "outcome-unknown")
    message_id = found.headers["Sebalai-Message-Id"]
    assert await bus.phases(message_id) == ["requested"]
    assert await reconcile(journal_url, timedelta()) == 1
    assert (await bus.record(message_id))["outcome"] == "unknown"


async def test_answer_is_withheld_when_the_call_was_closed_as_unknown(bus, provider, journal_url):
    plain = provider.answer

    async def answer(seen, writer):
        assert await reconcile(journal_url, timedelta()) == 1
        await plain(seen, writer)

    provider.answer = answer
    async with bus.call() as found:
        assert (found.status, await problem_of(found)) == (503, "outcome-unknown")
    assert (await bus.record())["outcome"] == "unknown"


async def test_end_of_a_begun_answer_is_withheld_when_the_call_was_closed_as_unknown(
    bus, provider, journal_url
):
    async def answer(seen, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            writer.write(b"5\r\nhello\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)
        assert await reconcile(journal_url, timedelta()) == 1
        writer.write(b"0\r\n\r\n")

    provider.answer = answer
    async with bus.call() as found:
        with pytest.raises(aiohttp.ClientError):
            await found.read()
    assert (await bus.record())["outcome"] == "unknown"
