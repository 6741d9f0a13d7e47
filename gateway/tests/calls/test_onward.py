"""Several addresses, a second try, and a provider that is left alone while it is down."""

import asyncio

import pytest
from sebalai_gateway.calls.onward import SAFE
from sebalai_gateway.forwarding.destinations import FAILURES_TO_EJECT


async def slug_of(answer):
    return (await answer.json(content_type=None))["type"].rsplit(":", 1)[1]


async def reset(seen, writer):
    writer.transport.abort()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_dead_address_is_passed_over_whatever_the_method(bus, provider, method):
    for _ in range(4):
        async with bus.call(method, interface="dua", data=b"x" if method == "POST" else None) as a:
            assert (a.status, await a.read()) == (200, b"hello")
    assert len(provider.seen) == 4
    assert all(seen.is_whole for seen in provider.seen)


async def test_safe_call_whose_connection_breaks_is_sent_once_more_elsewhere(bus, provider):
    good = provider.answer

    async def answer(seen, writer):
        await (reset if len(provider.seen) == 1 else good)(seen, writer)

    provider.answer = answer
    async with bus.call("OPTIONS", interface="kembar") as found:
        assert (found.status, await found.read()) == (200, b"hello")
    assert [seen.target for seen in provider.seen] == ["/open/x", "/kedua/open/x"]


async def test_safe_call_on_a_connection_kept_too_long_is_sent_again_to_the_same_address(
    bus, provider
):
    good = provider.answer

    async def answer(seen, writer):
        await (reset if len(provider.seen) == 2 else good)(seen, writer)

    provider.answer = answer
    for _ in range(2):
        async with bus.call() as found:
            assert (found.status, await found.read()) == (200, b"hello")
    assert len(provider.seen) == 3


@pytest.mark.parametrize("data", [b"x", None])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_call_that_may_have_acted_is_never_sent_twice(bus, provider, method, data):
    assert method not in SAFE
    provider.answer = reset
    async with bus.call(method, interface="kembar", data=data) as found:
        assert (found.status, await slug_of(found)) == (502, "provider-unreachable")
    assert len(provider.seen) == 1


async def test_provider_that_is_down_is_refused_at_once_and_the_refusal_is_journalled(
    bus, provider
):
    for _ in range(FAILURES_TO_EJECT):
        async with bus.call(interface="mati") as found:
            assert await slug_of(found) == "provider-unreachable"
    async with bus.call(interface="mati") as found:
        assert (found.status, await slug_of(found)) == (503, "provider-unavailable")
        assert int(found.headers["Retry-After"]) >= 1
    message_id = found.headers["Sebalai-Message-Id"]
    assert await bus.phases(message_id) == ["completed"]
    record = await bus.record(message_id)
    assert (record["outcome"], record["forwarded_at"]) == ("refused", None)


async def test_faults_that_the_provider_answers_itself_eject_nobody(bus, provider):
    async def answer(seen, writer):
        writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")

    provider.answer = answer
    for _ in range(FAILURES_TO_EJECT + 3):
        async with bus.call() as found:
            assert found.status == 503
            assert "X-Road-Error" not in found.headers


async def test_consumer_that_spoils_its_own_calls_does_not_eject_the_provider(bus, provider):
    for _ in range(FAILURES_TO_EJECT + 2):
        headers = bus.headers(**{"Content-Digest": "sha-256=:" + "A" * 43 + "=:"})
        async with bus.call("POST", data=b"x", headers=headers) as found:
            assert (found.status, await slug_of(found)) == (400, "digest-mismatch")
    async with bus.call() as found:
        assert found.status == 200


async def test_stream_of_events_is_refused_clearly_on_either_side(bus, provider):
    async with bus.call(headers=bus.headers(Accept="text/event-stream")) as found:
        assert (found.status, await slug_of(found)) == (501, "stream-not-supported")
    assert provider.seen == []

    async def answer(seen, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await asyncio.sleep(0.2)
        writer.close()

    provider.answer = answer
    async with bus.call() as found:
        assert (found.status, await slug_of(found)) == (502, "stream-not-supported")
    assert (await bus.record(found.headers["Sebalai-Message-Id"]))["outcome"] == "failed"
