"""`/livez`: the process runs. `/readyz`: it can serve, or which part cannot. `/metrics`: what it
counted, and how far its worker is behind, which only their database knows. Workers have no port:
they touch a heartbeat file in every pass.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from sebalai_shared.database import FAILURES, Database

log = logging.getLogger(__name__)

CHECK_SECONDS = 2.0
BEAT_EACH_SECONDS = 1.0

# How long the oldest fact waits for the relay: its worker is away, or NATS.
OUTBOX = {
    "sebalai_outbox_age_seconds": """
    SELECT extract(epoch FROM now() - oldest.created_at)
    FROM (SELECT xid, seq FROM relay_cursor WHERE name = 'outbox'
          UNION ALL SELECT '0'::xid8, 0 ORDER BY 1 DESC LIMIT 1) AS done,
      LATERAL (SELECT created_at FROM outbox WHERE (xid, seq) > (done.xid, done.seq)
               ORDER BY outbox.xid, seq LIMIT 1) AS oldest
    """
}

Check = Callable[[], Awaitable[None]]
KNOWN = "sebalai_gauges_known"

Read = Callable[[], Awaitable[Mapping[str, float]]]


async def _nothing() -> Mapping[str, float]:
    return {}


def router(checks: Mapping[str, Check], read: Read = _nothing) -> APIRouter:
    """`checks` are named by the part they try; each raises when its part cannot serve. `read` gives
    gauges by their names at each look; while it fails they are left out.
    """
    routes = APIRouter(tags=["health"], include_in_schema=False)

    @routes.get("/livez")
    async def livez() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]
        return {"status": "alive"}

    @routes.get("/readyz")
    async def readyz() -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        parts = {name: await _try(name, check) for name, check in checks.items()}
        is_ready = all(state == "ok" for state in parts.values())
        body = {"status": "ready" if is_ready else "not ready", "parts": parts}
        return JSONResponse(body, 200 if is_ready else 503)

    @routes.get("/metrics")
    async def metrics() -> Response:  # pyright: ignore[reportUnusedFunction]
        told = generate_latest() + await _gauges(read)
        return Response(told, media_type=CONTENT_TYPE_LATEST)

    return routes


def gauges_of(database: Database, queries: Mapping[str, str]) -> Read:
    """`queries`: of each gauge one statement that answers one number."""

    async def read() -> Mapping[str, float]:
        async with database.transaction() as session:
            return {
                name: float(await session.scalar(text(query)) or 0)
                for name, query in queries.items()
            }

    return read


async def _gauges(read: Read) -> bytes:
    """KNOWN says whether the others are there: an alert on one that is left out would be silent."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            found = {**await read(), KNOWN: 1}
    except (*FAILURES, TimeoutError) as error:
        log.warning("gauges are left out: %s", type(error).__name__)
        found = {KNOWN: 0}
    return "".join(
        f"# TYPE {name} gauge\n{name} {value:.3f}\n" for name, value in found.items()
    ).encode()


async def _try(name: str, check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except Exception as error:  # noqa: BLE001 - whatever a part raises, readiness names the part
        log.warning("not ready: %s: %s", name, str(error) or type(error).__name__)
        return "failing"
    return "ok"


class Heartbeat:
    """Touches its file at most once a second; called in every pass of a worker's loops."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._last = path, 0.0

    def __call__(self) -> None:
        now = time.monotonic()
        if self._path is not None and now - self._last >= BEAT_EACH_SECONDS:
            self._path.touch()
            self._last = now
