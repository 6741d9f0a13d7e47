"""A subscriber that was down while a million events came: what it costs the dispatcher in memory,
how fast it catches up and in which order, and what a healthy one beside it feels.

The million are inserted into the log, as the sequencer would have; publishing them would take hours.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from figures import figure, resident_bytes
from sqlalchemy import text

EVENTS, CHUNK = 1_000_000, 20_000
CATCHING_UP_SECONDS = 15
RATE = 40
LATE, HEALTHY = "/good/late", "/good/beside"
FILL = text("""
WITH head AS (UPDATE event_head SET pos = pos + :n RETURNING pos)
INSERT INTO event (pos, event_id, source, id, type, key, publisher, parties, retention_days,
  document, stored_at)
SELECT head.pos - :n + g, gen_random_uuid(), '/bench', (head.pos - :n + g)::text, :type,
  'k' || g % 97, 'ID-BB/GOV/dp3acskb/kependudukan', '{}', 365,
  json_build_object('specversion', '1.0', 'id', (head.pos - :n + g)::text, 'source', '/bench',
    'type', CAST(:type AS text), 'subject', 'k' || g % 97, 'data', json_build_object('number', g))::text,
  now() - interval '2 hours'
FROM head, generate_series(1, :n) AS g
""")
BELL = text("SELECT pg_notify('event_pos', '')")
FAILURES = text("SELECT failures FROM lane WHERE subscription = :id")
PROBE = text("UPDATE lane SET open_until = now() WHERE subscription = :id")


async def backlog(bench: Any, pid: int, kind: str, quiet: str) -> None:
    """`pid` is the dispatcher's; `bench` publishes and subscribes (events.py)."""
    down = {LATE}
    bench.receiver.fails = lambda path, _event: 503 if path in down else 0
    late, healthy = await bench.subscribe(LATE, [kind]), await bench.subscribe(HEALTHY, [quiet])
    await bench.publish_evenly(20, 1, kind)
    while await bench.execute(FAILURES, id=late) < 5:
        await asyncio.sleep(0.1)
    await _grow(bench, pid, kind, quiet)
    alone = await _felt(bench, quiet)
    down.clear()
    await bench.resume(late, PROBE)
    begun = time.monotonic()
    beside = await _felt(bench, quiet)
    got = list(bench.receiver.got[LATE])
    _told(alone, beside, len(got) / (time.monotonic() - begun))
    assert _in_order(got), "a key came out of order"
    for ident in (late, healthy):
        await bench.end(ident)


async def _grow(bench: Any, pid: int, kind: str, quiet: str) -> None:
    """Until the dispatcher has read them all: they came at once, which no publisher could do."""
    before = most = resident_bytes(pid)
    for _ in range(EVENTS // CHUNK):
        await bench.execute(FILL, n=CHUNK, type=kind)
        await bench.execute(BELL)
        most = max(most, resident_bytes(pid))
    await bench.publish_evenly(1, 1, quiet)
    while not bench.receiver.got[HEALTHY]:
        await asyncio.sleep(0.1)
        most = max(most, resident_bytes(pid))
    figure("events.backlog_of_a_million_memory", (most - before) / 2**20, "MiB", "<=", 64)


async def _felt(bench: Any, quiet: str) -> dict[str, float]:
    stored = await bench.publish_evenly(RATE, CATCHING_UP_SECONDS, quiet)
    while len(bench.receiver.got[HEALTHY]) < len(stored):
        await asyncio.sleep(0.05)
    took = sorted((one["_at"] - stored[one["id"]]) * 1e3 for one in bench.receiver.got[HEALTHY])
    return {"p50": took[len(took) // 2], "p99": took[int(len(took) * 0.99)]}


def _told(alone: dict[str, float], beside: dict[str, float], rate: float) -> None:
    for share in ("p50", "p99"):
        figure(f"events.healthy_alone_before_backlog_{share}", alone[share], "ms")
        figure(f"events.healthy_beside_backlog_{share}", beside[share], "ms")
    figure("events.backlog_catches_up", rate, "events/s")


def _in_order(got: list[dict[str, Any]]) -> bool:
    keys: dict[str, list[str]] = {}
    for one in got:
        keys.setdefault(one["subject"], []).append(one["position"])
    return bool(got) and all(places == sorted(places) for places in keys.values())
