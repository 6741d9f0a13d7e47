"""A thousand calls a second, whoever waits for whom: arrivals by chance (Poisson), each timed from
the moment it was due, straight at the provider and through the gateway in turns.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import time
from collections import deque

import uvloop
from alone import INTERFACE, Alone
from figures import figure, middle

RATE, CONNECTIONS = 1_000, 64
ROUNDS = int(os.environ.get("SEBALAI_BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("SEBALAI_BENCH_SECONDS", "3"))


class Caller(asyncio.Protocol):
    """One connection; an answer is whole when its told length has come."""

    def __init__(self, idle: deque[Caller], took: list[float]) -> None:
        self._idle, self._took, self._data = idle, took, b""
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._idle.append(self)

    def ask(self, request: bytes, due: float) -> None:
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode("latin-1"))
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
        if len(body) >= int(length):
            self._took.append(time.perf_counter() - self._due)
            self._data = b""
            self._idle.append(self)


async def _round(port: int, request: bytes) -> dict[str, float]:
    idle, took = deque[Caller](), list[float]()
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Caller(idle, took), "127.0.0.1", port)
        for _ in range(CONNECTIONS)
    ]
    waiting, due = deque[float](), time.perf_counter() + 0.1
    ends, dice = due + SECONDS, random.Random(1)
    while due < ends or waiting:
        now = time.perf_counter()
        while due <= now and due < ends:
            waiting.append(due)
            due += dice.expovariate(RATE)
        while waiting and idle:
            idle.popleft().ask(request, waiting.popleft())
        await asyncio.sleep(0 if waiting else max(0.0, min(due - time.perf_counter(), 0.001)))
    await asyncio.sleep(0.5)
    for transport, _ in made:
        transport.close()
    took.sort()
    return {"p50": took[len(took) // 2] * 1e3, "p99": took[int(len(took) * 0.99)] * 1e3}


def run(alone: Alone, lanes: dict[str, tuple[int, int]], provider: int) -> None:
    """Prints what each lane adds to the direct call, with its journal on."""
    lines = [f"GET /r1/{INTERFACE}/x HTTP/1.1", "host: bench"]
    lines += [f"{name}: {value}" for name, value in alone.headers().items()]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    ports = {"direct": provider} | {name: port for name, (port, _) in lanes.items()}
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in ports}
    gc.disable()
    for _ in range(ROUNDS):
        for name, port in ports.items():
            rounds[name].append(uvloop.run(_round(port, request)))
    gc.enable()
    direct = middle(rounds["direct"], "p50")
    figure("proxies.direct.paced.p50", direct, "ms")
    for name in lanes:
        added = middle(rounds[name], "p50") - direct
        figure(f"proxies.{name}.paced.added_p50", added, "ms", "<=", 3)
        figure(f"proxies.{name}.paced.p99", middle(rounds[name], "p99"), "ms", "<=", 15)
