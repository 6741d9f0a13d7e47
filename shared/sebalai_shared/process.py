"""How a member starts: `python -m sebalai_x {api|worker|migrate|load|contracts}`.

A worker is a handful of endless tasks; when one ends, all end, and the supervisor starts anew.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp

from sebalai_shared.settings import MemberSettings
from sebalai_shared.telemetry import configure_logging

log = logging.getLogger(__name__)

STOP_SECONDS = 10
KEEP_ALIVE_SECONDS = 75
CONCURRENCY_LIMIT = 1_000
USAGE_EXIT = 2
# More than the requests under way hold: their objects die by themselves, without a search.
COLLECT_EACH_OBJECTS = 10_000

Command = Callable[[Sequence[str]], None]


def main(commands: Mapping[str, Command], arguments: Sequence[str] | None = None) -> None:
    """Runs the command named first; unknown or missing names list what there is, exit 2."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments == ["prepare"]:  # one process, because half of a platform's start is imports
        main(commands, ["migrate"])
        arguments = ["load"]
    command = commands.get(arguments[0]) if arguments else None
    if command is None:
        sys.stderr.write(f"one of: {', '.join(commands)}\n")
        raise SystemExit(USAGE_EXIT)
    command(arguments[1:])


def settle(each_objects: int = COLLECT_EACH_OBJECTS) -> None:
    """To be called once everything is loaded: it stays, and no collection looks at it again, each
    of which held everybody up by a tenth of a second and more. The next ones come after so many
    new objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(each_objects)


def serve(app: ASGIApp | str, settings: MemberSettings, **more: Any) -> None:
    """Serves `app` until SIGTERM; requests under way get STOP_SECONDS to finish.

    `more` are options of uvicorn, where a member needs others than these; with several workers
    `app` is the name of what makes it.
    """
    configure_logging(settings.log_level)
    usual: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "loop": "uvloop",
        "http": "httptools",
        "ws": "none",
        "access_log": False,
        "log_config": None,
        "date_header": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": STOP_SECONDS,
        "limit_concurrency": CONCURRENCY_LIMIT,
    }
    settle()
    uvicorn.run(app, **(usual | more))


def run_worker(settings: MemberSettings, tasks: Callable[[], Awaitable[None]]) -> None:
    """Runs the worker's tasks until SIGTERM or until one of them fails (exit 1)."""
    configure_logging(settings.log_level)
    settle()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_stopped(tasks))


async def _until_stopped(tasks: Callable[[], Awaitable[None]]) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    working: asyncio.Future[Any] = asyncio.ensure_future(tasks())
    stopping: asyncio.Future[Any] = asyncio.ensure_future(stopped.wait())
    done, pending = await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.wait(pending)
    if working in done:
        error = working.exception()
        log.error("worker ended", exc_info=error)
        raise SystemExit(1)


async def together(*tasks: Coroutine[Any, Any, None]) -> None:
    """Runs endless tasks side by side; the first failure ends them all."""
    async with asyncio.TaskGroup() as group:
        for task in tasks:
            group.create_task(task)


async def every(seconds: float, job: Callable[[], Awaitable[object]]) -> None:
    """A timed job, for ever; a failing pass is logged and the next one comes."""
    while True:
        try:
            await job()
        except Exception:
            log.exception("job failed; next pass in %s s", seconds)
        await asyncio.sleep(seconds)
