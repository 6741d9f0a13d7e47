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
from collections.abc import Iterator, Sequence
from itertools import cycle

import uvloop
from alone import Alone
from figures import figure, middle
from workload import Call

RATE, CONNECTIONS = 1_000, 64
PATIENCE_SECONDS = 60
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
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
        if len(body) >= int(length):
            # Who is refused waits on.
            is_served = head.startswith(b"HTTP/1.1 2")
            took = time.perf_counter() - self._due
            self._took.append(took if is_served else PATIENCE_SECONDS)
            self._data = b""
            self._idle.append(self)


async def paced(
    ports: Sequence[int], requests: Iterator[bytes], rate: float, seconds: float
) -> list[float]:
    """Sends the next of `requests` whenever one is due, `rate` a second, on CONNECTIONS spread over
    the ports; answers the seconds from due to answered, sorted; PATIENCE_SECONDS for who is
    refused.
    """
    idle, took = deque[Caller](), list[float]()
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(
            lambda: Caller(idle, took), "127.0.0.1", ports[number % len(ports)]
        )
        for number in range(CONNECTIONS)
    ]
    waiting, due, sent = deque[float](), time.perf_counter() + 0.1, 0
    ends, dice = due + seconds, random.Random(1)
    while due < ends or waiting:
        now = time.perf_counter()
        while due <= now and due < ends:
            waiting.append(due)
            due += dice.expovariate(rate)
        while waiting and idle:
            idle.popleft().ask(next(requests), waiting.popleft())
            sent += 1
        rest = min(due - time.perf_counter(), 0.001)
        await asyncio.sleep(0 if waiting and idle else max(0.0, rest))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(took) < sent:
            await asyncio.sleep(0.01)
    for transport, _ in made:
        transport.close()
    return sorted(took)


def _written(call: Call) -> bytes:
    lines = [f"GET {call.path} HTTP/1.1", "host: bench"]
    lines += [f"{name}: {value}" for name, value in call.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _round(port: int, requests: list[bytes]) -> dict[str, float]:
    took = await paced([port], cycle(requests), RATE, SECONDS)
    return {"p50": took[len(took) // 2] * 1e3, "p99": took[int(len(took) * 0.99)] * 1e3}


def run(alone: Alone, lanes: dict[str, tuple[int, int]], provider: int) -> None:
    """Prints what each lane adds to the direct call, with its journal on."""
    requests = [_written(call) for call in alone.calls]
    ports = {"direct": provider} | {name: port for name, (port, _) in lanes.items()}
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in ports}
    gc.disable()
    for _ in range(ROUNDS):
        for name, port in ports.items():
            rounds[name].append(uvloop.run(_round(port, requests)))
    gc.enable()
    direct = middle(rounds["direct"], "p50")
    figure("proxies.direct.paced.p50", direct, "ms")
    for name in lanes:
        added = middle(rounds[name], "p50") - direct
        figure(f"proxies.{name}.paced.added_p50", added, "ms", "<=", 3)
        figure(f"proxies.{name}.paced.p99", middle(rounds[name], "p99"), "ms", "<=", 15)
