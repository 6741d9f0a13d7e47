"""Bodies through the gateway: bounded, hashed, streamed both ways, never held whole."""

import asyncio
import base64
import contextlib
import hashlib
import os
from pathlib import Path

import pytest
from sebalai_gateway.serving import LANES

pytestmark = pytest.mark.parametrize("lane", LANES)

SMALL_BYTES = 64 * 1024
# `SEBALAI_DRILL_BYTES=1073741824` for the long form, whose figure is printed.
LARGE_BYTES = int(os.environ.get("SEBALAI_DRILL_BYTES", "67108864"))
# Three parties stream in this one process; a body held whole once would already exceed it.
GROWTH_BYTES = 40 * 1024 * 1024
CHUNK = bytes(range(256)) * 256


async def problem_of(answer):
    document = await answer.json(content_type="application/problem+json")
    return document["type"].removeprefix("urn:sebalai:problem:")


async def pieces(*chunks):
    for chunk in chunks:
        yield chunk
        await asyncio.sleep(0)


def content_digest(data):
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


async def test_declared_body_over_the_limit_is_413_and_the_provider_never_called(bus, provider):
    async with bus.call("POST", data=b"x" * (SMALL_BYTES + 1)) as answer:
        assert (answer.status, await problem_of(answer)) == (413, "body-too-large")
    record = await bus.record()
    assert (record["outcome"], record["status"]) == ("refused", 413)
    assert provider.seen == []


async def test_body_of_exactly_the_limit_is_taken(bus, provider):
    async with bus.call("POST", data=b"x" * SMALL_BYTES) as answer:
        assert answer.status == 200
    assert provider.seen[0].size == SMALL_BYTES


async def test_chunked_body_over_the_limit_is_413_and_the_provider_never_gets_it_whole(
    bus, provider
):
    async with bus.call("POST", data=pieces(b"x" * SMALL_BYTES, b"x")) as answer:
        assert (answer.status, await problem_of(answer)) == (413, "body-too-large")
    record = await bus.record()
    assert (record["outcome"], record["status"], record["problem"]) == (
        "failed", 413, "body-too-large",
    )  # fmt: skip
    assert not any(seen.is_whole for seen in provider.seen)


@pytest.mark.parametrize(
    "chunks", [(b"question",), (b"ques", b"tion"), (b"q" * 10, b"", b"u" * 10)]
)
@pytest.mark.parametrize("is_declared", [True, False])
async def test_body_that_is_not_what_its_digest_says_is_400_and_never_whole_at_the_provider(
    bus, provider, chunks, is_declared
):
    headers = bus.headers(**{"Content-Digest": content_digest(b"another")})
    data = b"".join(chunks) if is_declared else pieces(*[chunk for chunk in chunks if chunk])
    async with bus.call("POST", headers=headers, data=data) as answer:
        assert (answer.status, await problem_of(answer)) == (400, "digest-mismatch")
    assert (await bus.record())["problem"] == "digest-mismatch"
    assert not any(seen.is_whole for seen in provider.seen)


async def test_empty_body_that_is_not_what_its_digest_says_is_400(bus, provider):
    headers = bus.headers(**{"Content-Digest": content_digest(b"another")})
    async with bus.call("POST", headers=headers) as answer:
        assert (answer.status, await problem_of(answer)) == (400, "digest-mismatch")
    assert provider.seen == []


async def test_right_digest_is_forwarded_with_the_body(bus, provider):
    digest = content_digest(b"question")
    headers = bus.headers(**{"Content-Digest": f"sha-512=:AAAA:, {digest}"})
    async with bus.call("POST", headers=headers, data=pieces(b"ques", b"tion")) as answer:
        assert answer.status == 200
    assert provider.seen[0].is_whole
    assert digest in provider.seen[0].headers["Content-Digest"]


@pytest.mark.parametrize("value", ["sha-256=:short:", "sha-256=abc", "sha-256"])
async def test_digest_that_cannot_be_read_is_400_before_the_provider(bus, provider, value):
    headers = bus.headers(**{"Content-Digest": value})
    async with bus.call("POST", headers=headers, data=b"x") as answer:
        assert (answer.status, await problem_of(answer)) == (400, "digest-malformed")
    assert provider.seen == []


async def test_request_evidence_is_of_the_whole_body_when_the_answer_begins_early(bus, provider):
    async def early(writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            writer.write(b"5\r\nearly\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def answer(seen, writer):
        writer.write(b"4\r\nlate\r\n0\r\n\r\n")

    begun = asyncio.Event()

    async def body():
        yield b"first"
        await begun.wait()
        yield b"second"

    provider.before_body, provider.answer = early, answer
    async with bus.call("POST", data=body()) as found:
        assert found.status == 200
        begun.set()
        assert await found.read() == b"earlyearlyearlylate"
    record = await bus.record()
    assert record["outcome"] == "answered"
    assert record["request"] == {
        "sha256": hashlib.sha256(b"firstsecond").hexdigest(), "bytes": 11,
    }  # fmt: skip


def resident_bytes():
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def test_large_bodies_stream_both_ways_in_flat_memory(bus, provider):
    count = LARGE_BYTES // len(CHUNK)
    peak = before = resident_bytes()

    async def body():
        nonlocal peak
        for _ in range(count):
            yield CHUNK
            peak = max(peak, resident_bytes())

    async def answer(seen, writer):
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {LARGE_BYTES}\r\n\r\n".encode())
        for _ in range(count):
            writer.write(CHUNK)
            await writer.drain()

    provider.answer = answer
    received = hashlib.sha256()
    async with bus.call("POST", interface="besar", data=body()) as found:
        assert found.status == 200
        async for chunk in found.content.iter_any():
            received.update(chunk)
            peak = max(peak, resident_bytes())
    record = await bus.record()
    expected = {"sha256": hashlib.sha256(CHUNK * count).hexdigest(), "bytes": LARGE_BYTES}
    assert record["request"] == record["response"] == expected
    assert received.hexdigest() == provider.seen[0].hash.hexdigest() == expected["sha256"]
    grown = (peak - before) / 2**20
    print(f"\n{LARGE_BYTES} bytes up and down, consumer, gateway, provider: +{grown:.1f} MiB")
    assert peak - before < GROWTH_BYTES


@pytest.mark.parametrize(
    ("framing", "status"),
    [
        (b"Content-Length: 4\r\nTransfer-Encoding: chunked", 400),
        (b"Content-Length: 4\r\nContent-Length: 5", 400),
        (b"Content-Length: +4", 400),
        (b"Transfer-Encoding: gzip, chunked", 400),
        (b"Transfer-Encoding: xchunked", 400),
        (b"Upgrade: websocket\r\nConnection: Upgrade", 501),
    ],
)
async def test_framing_that_two_readers_could_read_differently_is_refused(
    bus, provider, framing, status
):
    head = (
        f"POST {bus.path()} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bus.token}\r\n"
        "Sebalai-Purpose: verifikasi-bansos\r\n"
    )
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(10):
            answer = await bus.raw(
                head.encode() + framing + b"\r\nConnection: close\r\n\r\n", b"0\r\n\r\n"
            )
        assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert provider.seen == []
