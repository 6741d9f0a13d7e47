"""Ten healthy webhooks alone, and beside six bad ones: slow, broken, moved, endless, dead, internal.

Rounds are interleaved: the bad ones hear of one of two event types, the healthy ones of both. The
bad ones stand in a process of their own, so that what they cost themselves is not taken for what
they cost their neighbours.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from figures import figure, middle, processor_seconds
from sqlalchemy import text

HEALTHY = 10
RATE = 40
SECONDS = 5
ROUNDS = 3
RECEIVER = Path(__file__).parents[1] / "systems/webhook_receiver/receiver.py"
TOLD = ("slow", "broken", "moved", "endless")
STANDING = {"dead": "http://127.0.0.1:1/x", "internal": "http://10.0.0.7/x"}


async def neighbours(bench: Any, folder: Path, pid: int, quiet: str, shared: str) -> None:
    """`bench` publishes and subscribes (events.py); `pid` is the dispatcher's; the bad ones hear of
    the type `shared`.
    """
    with _bad_receiver(folder) as bad_url:
        await _ready(bad_url)
        bad = [await bench.subscribe(f"{bad_url}/{name}/x", [shared]) for name in TOLD]
        for url in STANDING.values():
            ident = await bench.subscribe(f"{bad_url}/good/x", [shared])
            await bench.execute(
                text("UPDATE subscription SET url = :url WHERE id = :id"), url=url, id=ident
            )
            bad.append(ident)
        paths = [f"/good/healthy-{number}" for number in range(HEALTHY)]
        healthy = [await bench.subscribe(path, [quiet, shared]) for path in paths]
        alone, beside = list[dict[str, float]](), list[dict[str, float]]()
        for _ in range(ROUNDS):
            alone.append(await _round(bench, pid, paths, quiet))
            beside.append(await _round(bench, pid, paths, shared))
        for name, rounds in (("alone", alone), ("beside_bad", beside)):
            for share in ("p50", "p99"):
                figure(f"events.healthy_{name}_{share}", middle(rounds, share), "ms")
            spent = middle(rounds, "processor")
            figure(f"events.dispatcher_processor_{name}", spent, "ms a healthy post")
        figure("events.healthy_rate", RATE * HEALTHY, "posts/s")
        ratio = middle(beside, "p99") / middle(alone, "p99")
        figure("events.healthy_beside_bad_p99_ratio", ratio, "times", "<=", 1.25)
        tried = await bench.execute(
            text("SELECT count(*) FROM attempt WHERE subscription = ANY(:bad)"), bad=bad
        )
        figure("events.tries_at_the_bad", tried, "tries")
        for ident in (*bad, *healthy):
            await bench.end(ident)


async def _round(bench: Any, pid: int, paths: list[str], kind: str) -> dict[str, float]:
    before = processor_seconds(pid)
    stored = await bench.publish_evenly(RATE, SECONDS, kind)
    got = bench.receiver.got
    until = time.monotonic() + 60
    while any(len(got[path]) < len(stored) for path in paths):
        assert time.monotonic() < until, "a healthy subscriber waits for events"
        await asyncio.sleep(0.05)
    took = sorted((one["_at"] - stored[one["id"]]) * 1e3 for path in paths for one in got[path])
    assert len(took) == len(stored) * len(paths), "an event came twice"
    spent = (processor_seconds(pid) - before) * 1e3 / len(took)
    return {"p50": took[len(took) // 2], "p99": took[int(len(took) * 0.99)], "processor": spent}


@contextlib.contextmanager
def _bad_receiver(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(RECEIVER), str(port), str(folder / "bad.log")]
    with subprocess.Popen(command, env=dict(os.environ)) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


async def _ready(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise AssertionError("the bad receiver does not come up")
