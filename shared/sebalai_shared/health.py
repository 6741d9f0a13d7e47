"""`/livez`: the process runs. `/readyz`: it can serve, or which part cannot. Workers have no port:
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

log = logging.getLogger(__name__)

CHECK_SECONDS = 2.0
BEAT_EACH_SECONDS = 1.0

Check = Callable[[], Awaitable[None]]


def router(checks: Mapping[str, Check]) -> APIRouter:
    """`checks` are named by the part they try; each raises when its part cannot serve."""
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
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return routes


async def _try(name: str, check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except Exception as error:  # noqa: BLE001 - whatever a part raises, readiness names the part
        log.warning("not ready: %s: %s", name, error)
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
