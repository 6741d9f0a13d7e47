"""A thousand listeners of server-sent events at one API process: from the 202 to each of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from figures import figure, processor_seconds
from sebalai_shared.process import settle

LISTENERS, EACH = 1_000, 8
OPENING_AT_ONCE = 20
RATE, SECONDS = 2, 10


async def streams(bench: Any, kind: str, settings: dict[str, str]) -> None:
    """`settings` are the environment of an exchange; `bench` publishes and subscribes."""
    idents = [await bench.subscribe(None, [kind]) for _ in range(LISTENERS // EACH)]
    with _api(settings) as (port, pid):
        await _until_ready(port)
        got: list[tuple[str, float]] = []
        slots, opened = asyncio.Semaphore(OPENING_AT_ONCE), asyncio.Semaphore(0)

        def note(line: bytes) -> None:
            if line.startswith(b"data: "):
                got.append((line.partition(b'"id":"')[2][:36].decode(), time.time()))

        async def listen(ident: str) -> None:
            async with slots:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                path = f"/v1/subscriptions/{ident}/stream"
                head = f"GET {path} HTTP/1.1\r\nHost: x\r\nSebalai-Caller: {bench.caller()}\r\n\r\n"
                writer.write(head.encode())
                answer = await reader.readline()
                assert b" 200 " in answer, answer
                opened.release()
            with contextlib.closing(writer):
                async for line in reader:
                    note(line)

        tasks = [asyncio.create_task(listen(ident)) for ident in idents for _ in range(EACH)]
        for _ in tasks:
            await asyncio.wait_for(opened.acquire(), 60)
        settle()  # a collection here would be told as the other side's delay
        spent = processor_seconds(pid)
        stored = await bench.publish_evenly(RATE, SECONDS, kind)
        until = time.monotonic() + 30
        while len(got) < len(stored) * len(tasks) and time.monotonic() < until:
            await asyncio.sleep(0.05)
        spent = processor_seconds(pid) - spent
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    failed = [end for end in ends if not isinstance(end, asyncio.CancelledError)]
    assert not failed, failed[:3]
    assert len(got) == len(stored) * len(tasks), f"{len(got)} of {len(stored) * len(tasks)}"
    took = sorted((at - stored[ident]) * 1e3 for ident, at in got)
    figure("events.listeners_1000_p50", took[len(took) // 2], "ms")
    figure("events.listeners_1000_p99", took[int(len(took) * 0.99)], "ms", "<=", 100)
    figure("events.listeners_1000_processor", spent / len(got) * 1e6, "us/frame")
    for ident in idents:
        await bench.end(ident)


@contextlib.contextmanager
def _api(settings: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Port and process number."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {f"SEBALAI_{name}": told for name, told in settings.items()}
    command = [sys.executable, "-m", "sebalai_exchange", "api"]
    with subprocess.Popen(command, env=env | {"SEBALAI_PORT": str(port)}) as process:
        try:
            yield port, process.pid
        finally:
            process.kill()


async def _until_ready(port: int) -> None:
    for _ in range(400):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise AssertionError("the API does not come up")
