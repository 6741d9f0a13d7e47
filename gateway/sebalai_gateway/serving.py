"""How the gateway is served: one or several worker processes on the one port.

Workers share nothing but the listening socket. Does not own what is served (`app`).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import os
import resource
import signal
from collections.abc import AsyncGenerator

from sebalai_shared.process import serve
from sebalai_shared.telemetry import configure_logging

from sebalai_gateway.app import Gateway
from sebalai_gateway.dialects.govstack import GovStack
from sebalai_gateway.lanes.accepting import Loop
from sebalai_gateway.lanes.bounded import BoundedProtocol
from sebalai_gateway.lanes.fast import FastProtocol
from sebalai_gateway.metering import listener
from sebalai_gateway.settings import GatewaySettings

# Idle keep-alive connections count here; exchanges under way are bounded by the gateway itself.
CONNECTIONS_LIMIT = 16_384
BACKLOG = 4_096
# How calls come in: over ASGI, or past it (ADR 0022).
LANES = {"asgi": BoundedProtocol, "fast": FastProtocol}
# A worker that starts on a busy machine is slow, not dead.
WORKER_SILENT_SECONDS = 30
PARENT_EACH_SECONDS = 0.5
# More than a thousand calls under way hold: objects of calls die by themselves, without a search.
COLLECT_EACH_OBJECTS = 50_000


def run(settings: GatewaySettings, *, is_govstack: bool = False) -> None:
    """Serves until SIGTERM, with room for more connections than a member has; r1 and the edge, or
    what GovStack's programs ask for.
    """
    _raise_file_limit()
    if settings.workers == 1:
        gateway = Gateway(settings, beside=_settled)
        with listener.own(settings.metrics_host, settings.metrics_port, gateway.metrics):
            _serve(GovStack(gateway) if is_govstack else gateway, settings)
    else:
        with listener.of_workers(settings.metrics_host, settings.metrics_port):
            _serve(f"{__name__}:{'make_govstack' if is_govstack else 'make'}", settings)


def _serve(app: Gateway | GovStack | str, settings: GatewaySettings) -> None:
    serve(
        app,
        settings,
        http=LANES[settings.lane],
        loop=f"{Loop.__module__}:{Loop.__name__}",
        factory=isinstance(app, str),
        workers=settings.workers,
        backlog=BACKLOG,
        timeout_worker_healthcheck=WORKER_SILENT_SECONDS,
        limit_concurrency=CONNECTIONS_LIMIT,
    )


def make() -> Gateway:
    """One worker's application, in a process that ends with the one that started it."""
    settings = GatewaySettings.from_environment()
    configure_logging(settings.log_level)
    return Gateway(settings, beside=_with_parent)


def make_govstack() -> GovStack:
    """The same of GovStack's listener."""
    return GovStack(make())


@contextlib.asynccontextmanager
async def _settled() -> AsyncGenerator[None]:
    """What is there once everything is loaded stays: no collection looks at it again, each of which
    held all calls up by some 80 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EACH_OBJECTS)
    yield


@contextlib.asynccontextmanager
async def _with_parent() -> AsyncGenerator[None]:
    """As `_settled`; and ends this worker when its parent is gone: an orphan would hold the port
    for ever.
    """
    starter = multiprocessing.parent_process()
    # Not getppid(): the parent may have died while this process was still importing.
    watch = asyncio.create_task(_until_orphaned(starter.pid if starter else os.getppid()))
    try:
        async with _settled():
            yield
    finally:
        watch.cancel()


async def _until_orphaned(parent: int | None) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(PARENT_EACH_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _raise_file_limit() -> None:
    """Two descriptors an exchange; the soft limit is often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * CONNECTIONS_LIMIT
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
