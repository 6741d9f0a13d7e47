"""What runs, written by the supervisor and read by everyone else: `<home>/state.json`.

A pid alone names nothing: it is ours only together with the start time it had.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import psutil
from pydantic import BaseModel, ValidationError

from sebalai_local.home import Home

START_TOLERANCE_SECONDS = 2.0  # the clock of the machine may have been set meanwhile

Phase = Literal["starting", "running", "stopping", "stopped", "failed"]


class ProcessState(BaseModel):
    name: str
    pid: int | None = None
    created: float | None = None
    ports: tuple[int, ...] = ()
    state: str = "waiting"
    since: float | None = None
    restarts: int = 0


class PlatformState(BaseModel):
    pid: int
    created: float
    base_port: int
    phase: Phase = "starting"
    error: str | None = None
    done: list[tuple[str, float]] = []
    processes: list[ProcessState] = []


def read(home: Home) -> PlatformState | None:
    try:
        return PlatformState.model_validate_json(home.state_file.read_bytes())
    except (OSError, ValidationError):
        return None


def write(home: Home, state: PlatformState) -> None:
    unfinished = home.state_file.with_suffix(".new")
    unfinished.write_text(state.model_dump_json(), encoding="utf-8")
    unfinished.rename(home.state_file)


def find(pid: int | None, created: float | None) -> psutil.Process | None:
    """The process that had this pid when it started at `created`; none if another has it now."""
    if pid is None or created is None:
        return None
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        process = psutil.Process(pid)
        is_ours = abs(process.create_time() - created) < START_TOLERANCE_SECONDS
        if is_ours and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def created_at(pid: int) -> float | None:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).create_time()
    return None


def leftovers(state: PlatformState) -> list[psutil.Process]:
    """Processes of a platform that still live, whether its supervisor does or not."""
    found = [find(one.pid, one.created) for one in state.processes]
    return [process for process in found if process is not None]


@contextmanager
def lock(path: Path, *, wait: bool) -> Generator[bool]:
    """Holds the file's lock while inside; the value says whether we got it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        yield False
        return
    try:
        yield True
    finally:
        os.close(descriptor)


def supervisor_lock(home: Home) -> Path:
    return home.root / "supervisor.lock"


def is_supervised(home: Home) -> bool:
    if not home.root.is_dir():
        return False
    with lock(supervisor_lock(home), wait=False) as is_ours:
        return not is_ours
