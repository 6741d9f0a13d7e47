"""What the supervisor runs, as data: a unit is an action, a step that ends, or a process that
stays. Owns the shape and the ways to ask for readiness, not the list.
"""

from __future__ import annotations

import http.client
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from sebalai_local.launching import Program

CHECK_SECONDS = 1.0


class StopRank(IntEnum):
    """The order of a clean stop: who asks stops before who answers."""

    FIRST = 0
    GATEWAY = 1
    WORKER = 2
    SERVICE = 3
    BROKER = 4
    DATABASE = 5


ReadyCheck = Callable[[float], bool]
"""Answers whether the process that started at this time (epoch seconds) can be used."""


@dataclass(frozen=True, slots=True)
class Unit:
    """`program` is made anew at each start. `action` runs inside the supervisor instead."""

    name: str
    program: Callable[[], Program] | None = None
    action: Callable[[], None] | None = None
    needs: tuple[str, ...] = ()
    is_step: bool = False
    ports: tuple[int, ...] = ()
    is_ready: ReadyCheck | None = None
    stop_rank: StopRank = StopRank.SERVICE
    stop_signal: signal.Signals = signal.SIGTERM


def answers_http(port: int, path: str = "/readyz") -> ReadyCheck:
    def check(_started: float) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CHECK_SECONDS)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return check


def beats(path: Path) -> ReadyCheck:
    """The worker has touched its heartbeat file since it started."""

    def check(started: float) -> bool:
        return path.exists() and path.stat().st_mtime >= started

    return check


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
