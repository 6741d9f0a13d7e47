"""Holding one process of a running platform down, and letting it run again.

A marker file in `<home>/held/` is the whole protocol: the supervisor reads it in each pass, so a
hold outlives whoever asked for it. Whoever needs the process keeps running. Drills and repairs use
it: the database gone, the gateway up.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from sebalai_local import state
from sebalai_local.failures import Failure, Misuse
from sebalai_local.home import Home
from sebalai_local.state import ProcessState

WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.1


def marker(home: Home, name: str) -> Path:
    return home.root / "held" / name


def is_held(home: Home, name: str) -> bool:
    return marker(home, name).exists()


def forget_all(home: Home) -> None:
    """A new `up` runs everything."""
    for held in (home.root / "held").glob("*"):
        held.unlink()


def stop(home: Home, options: argparse.Namespace) -> int:
    """Stops the process, keeps it stopped, returns when it is gone. Raises: Failure."""
    _one(home, options.name)
    _require_started(home)
    place = marker(home, options.name)
    place.parent.mkdir(exist_ok=True)
    place.touch()
    # Not `pid is None`: a process that just died has none either, and may be on its way back.
    _until(home, options.name, lambda one: one.state == "held")
    print(f"{options.name} is stopped and stays so; `sebalai start {options.name}` ends that.")
    return 0


def start(home: Home, options: argparse.Namespace) -> int:
    """Lets a held process run again, and waits until it is ready. Raises: Failure."""
    _one(home, options.name)
    marker(home, options.name).unlink(missing_ok=True)
    _until(home, options.name, lambda one: one.state == "ready")
    print(f"{options.name} is ready.")
    return 0


def _one(home: Home, name: str) -> ProcessState:
    running = state.read(home)
    if running is None or not state.is_supervised(home):
        raise Failure("The platform is not running.", "Start it: sebalai up")
    known = {one.name: one for one in running.processes if one.state != "done"}
    if name not in known:
        raise Misuse(f"There is no process {name}.", f"There are: {', '.join(sorted(known))}.")
    return known[name]


def _require_started(home: Home) -> None:
    """A start waits for every process, so a hold within it would only make it fail."""
    running = state.read(home)
    if running is not None and running.phase == "starting":
        raise Failure("The platform is still starting.", "Wait until `sebalai up` is done.")


def _until(home: Home, name: str, is_so: Callable[[ProcessState], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so(_one(home, name)):
        if time.monotonic() > deadline:
            raise Failure(f"{name} did not follow in {WAIT_SECONDS:g} s.", "See `sebalai logs`.")
        time.sleep(LOOK_SECONDS)
