"""PostgreSQL and NATS for one folder: the platform's engines, and those of a test session.

The platform runs them under its supervisor; `Engines` runs them alone, for tests.
"""

from __future__ import annotations

import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from sebalai_local.engines import place
from sebalai_local.engines.nats import Nats
from sebalai_local.engines.postgres import Postgres
from sebalai_local.failures import Failure
from sebalai_local.launching import launch

START_SECONDS = 30
STOP_SECONDS = 10
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class EngineAddresses:
    postgres_admin_url: str
    nats_url: str
    nats_token: str


@dataclass(slots=True)
class Engines:
    """Both servers, tied to the process that started them: they end with it, however it ends."""

    addresses: EngineAddresses
    folder: Path
    _running: list[tuple[subprocess.Popen[bytes], signal.Signals]] = field(
        default_factory=list[tuple[subprocess.Popen[bytes], signal.Signals]]
    )

    @classmethod
    def start(
        cls, folder: Path, ports: tuple[int, int, int] | None = None, *, durable: bool
    ) -> Engines:
        """Starts both in `folder`; `ports` are PostgreSQL, NATS, NATS monitor (none: free ones).

        Raises:
            Failure: a server does not come up; its log is in the message.

        """
        postgres_port, nats_port, monitor_port = ports or free_ports()
        token, password = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        nats = Nats(folder, nats_port, monitor_port, token, durable)
        postgres = Postgres(folder, postgres_port, password, durable)
        engines = cls(EngineAddresses(postgres.admin_url, nats.url, token), folder)
        with ExitStack() as undo:
            undo.callback(engines.stop)
            for name, engine, stop in (
                ("nats", nats, signal.SIGTERM),
                ("postgres", postgres, signal.SIGINT),
            ):
                log = folder / "logs" / f"{name}.log"
                process = launch(engine.prepare(), log)
                engines._running.append((process, stop))
                _wait(process, engine.is_ready, log)
            undo.pop_all()
        return engines

    def stop(self) -> None:
        """Ends both and forgets what lies outside of the folder."""
        for process, stop in reversed(self._running):
            process.send_signal(stop)
        for process, _ in reversed(self._running):
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()
        place.forget(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _wait(process: subprocess.Popen[bytes], is_ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if is_ready():
            return
        time.sleep(POLL_SECONDS)
    raise Failure(f"{log.stem} did not start:\n{log.read_text(errors='replace')[-2000:]}")


def free_ports() -> tuple[int, int, int]:
    """Three different ports nobody listens on at this moment."""
    with ExitStack() as held:
        found = [held.enter_context(socket.socket()) for _ in range(3)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        first, second, third = (int(one.getsockname()[1]) for one in found)
    return first, second, third
