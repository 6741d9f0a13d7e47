"""Starts units in order of need, keeps processes alive, stops them in order.

One thread, on purpose: children are tied to the thread that started them. Knows no member: the
units come as data.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sebalai_local import holding
from sebalai_local import state as states
from sebalai_local.failures import Failure
from sebalai_local.home import Home
from sebalai_local.launching import launch
from sebalai_local.state import PlatformState, ProcessState
from sebalai_local.units import Unit

BOOT_SECONDS = 300
BOOT_DEATHS_LIMIT = 3
BACKOFF_FIRST_SECONDS = 0.2
BACKOFF_MAX_SECONDS = 15.0
STEADY_SECONDS = 10.0  # after this long alive, the back-off begins anew
STOP_SECONDS = 15.0
TICK_SECONDS = 0.05
IDLE_TICK_SECONDS = 0.5
READY_CHECK_SECONDS = 0.15
LOG_BYTES_LIMIT = 10 * 1024 * 1024
LOG_CHECK_SECONDS = 5.0
TAIL_LINES = 15


@dataclass(slots=True)
class Entry:
    """One unit and how it fares."""

    unit: Unit
    shown: ProcessState
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    next_at: float = 0.0
    delay: float = BACKOFF_FIRST_SECONDS
    deaths: int = 0
    stopping_until: float | None = None

    @property
    def is_settled(self) -> bool:
        return self.shown.state in {"ready", "done"}


class Supervisor:
    def __init__(self, home: Home, units: Sequence[Unit]) -> None:
        self._home = home
        self._entries = {unit.name: Entry(unit, _shown(unit)) for unit in units}
        pid = os.getpid()
        self._state = PlatformState(
            pid=pid, created=states.created_at(pid) or time.time(), base_port=home.base_port
        )
        self._state.processes = [entry.shown for entry in self._entries.values()]
        self._begun = time.monotonic()
        self._is_asked_to_stop = False
        self._logs_checked = 0.0
        self._written = ""

    def run(self) -> int:
        """Runs until SIGTERM; the exit code: 0 after a clean stop, 1 when the start failed."""
        wake = _Wake()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        code = 0
        try:
            self._start_all(wake)
            while not self._is_asked_to_stop:
                self._pass()
                wake.wait(IDLE_TICK_SECONDS)
        except Failure as failure:
            self._state.phase, self._state.error, code = "failed", str(failure), 1
        self._stop_all(wake)
        return code

    def _ask_to_stop(self, *_: object) -> None:
        self._is_asked_to_stop = True

    def _start_all(self, wake: _Wake) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        while not self._is_asked_to_stop:
            self._pass()
            waiting = [name for name, entry in self._entries.items() if not entry.is_settled]
            if not waiting:
                self._state.phase = "running"
                self._publish()
                return
            if time.monotonic() > deadline:
                names = ", ".join(waiting)
                raise Failure(f"Not ready after {BOOT_SECONDS} s: {names}.", "See `sebalai logs`.")
            wake.wait(TICK_SECONDS)

    def _pass(self) -> None:
        for entry in self._entries.values():
            self._advance(entry)
        self._rotate_logs()
        self._publish()

    def _advance(self, entry: Entry) -> None:
        is_held = holding.is_held(self._home, entry.unit.name)
        if entry.shown.state == "held" and not is_held:
            entry.shown.state, entry.next_at, entry.delay = "waiting", 0.0, BACKOFF_FIRST_SECONDS
        state = entry.shown.state
        if is_held or entry.stopping_until is not None:
            self._hold(entry)  # a stop once begun is finished, even if asked to start meanwhile
        elif entry.process is not None and entry.process.poll() is not None:
            self._ended(entry, entry.process.returncode)
        elif state in {"waiting", "backing off"}:
            if time.monotonic() >= entry.next_at and self._has_needs(entry.unit):
                self._start(entry)
        elif state == "starting" and time.monotonic() >= entry.next_at:
            entry.next_at = time.monotonic() + READY_CHECK_SECONDS
            self._check_ready(entry)

    def _hold(self, entry: Entry) -> None:
        """Brings a held process down, in time by force, and keeps it there."""
        process = entry.process
        if process is not None and process.poll() is None:
            if entry.stopping_until is None:
                process.send_signal(entry.unit.stop_signal)
                entry.shown.state = "stopping"
                entry.stopping_until = time.monotonic() + STOP_SECONDS
            elif time.monotonic() > entry.stopping_until:
                process.kill()
            return
        if entry.shown.state != "held":
            entry.process, entry.shown.pid, entry.shown.created = None, None, None
            entry.shown.since, entry.stopping_until = time.time(), None
            entry.shown.state = "held"

    def _has_needs(self, unit: Unit) -> bool:
        return all(self._entries[name].is_settled for name in unit.needs)

    def _start(self, entry: Entry) -> None:
        unit, entry.started = entry.unit, time.time()
        if unit.action is not None:
            unit.action()
            self._settle(entry, "done")
            return
        if unit.program is None:
            raise Failure(f"The unit {unit.name} has nothing to run.")
        entry.process = launch(unit.program(), self._home.logs / f"{unit.name}.log")
        entry.shown.pid = entry.process.pid
        entry.shown.created = states.created_at(entry.process.pid)
        entry.shown.since, entry.shown.state = entry.started, "starting"
        entry.next_at = 0.0

    def _check_ready(self, entry: Entry) -> None:
        if entry.unit.is_step:
            return
        if entry.unit.is_ready is None or entry.unit.is_ready(entry.started):
            self._settle(entry, "ready")

    def _settle(self, entry: Entry, how: str) -> None:
        entry.shown.state = how
        if self._state.phase == "starting":
            seconds = round(time.monotonic() - self._begun, 2)
            self._state.done.append((entry.unit.name, seconds))
            return
        # Who failed for want of this one tries at once, however long it was gone.
        for other in self._entries.values():
            if other.shown.state == "backing off" and self._leans_on(other.unit, entry.unit.name):
                other.next_at, other.delay = 0.0, BACKOFF_FIRST_SECONDS

    def _leans_on(self, unit: Unit, name: str) -> bool:
        return name in unit.needs or any(
            self._leans_on(self._entries[need].unit, name) for need in unit.needs
        )

    def _ended(self, entry: Entry, code: int) -> None:
        entry.process, entry.shown.pid, entry.shown.created = None, None, None
        if entry.unit.is_step and code == 0:
            self._settle(entry, "done")
            return
        entry.deaths += 1
        is_starting = self._state.phase == "starting"
        if is_starting and (entry.unit.is_step or entry.deaths >= BOOT_DEATHS_LIMIT):
            raise Failure(
                f"{entry.unit.name} ended with code {code}; its last words:\n"
                + tail(self._home.logs / f"{entry.unit.name}.log", TAIL_LINES),
                f"Mend the cause and run `sebalai up` again (`sebalai logs {entry.unit.name}`).",
            )
        if time.time() - entry.started > STEADY_SECONDS:
            entry.delay = BACKOFF_FIRST_SECONDS
        entry.next_at = time.monotonic() + entry.delay
        entry.delay = min(entry.delay * 2, BACKOFF_MAX_SECONDS)
        entry.shown.restarts += 1
        entry.shown.state, entry.shown.since = "backing off", time.time()

    def _stop_all(self, wake: _Wake) -> None:
        if self._state.phase != "failed":
            self._state.phase = "stopping"
        self._publish()
        living = [entry for entry in self._entries.values() if entry.process is not None]
        for rank in sorted({entry.unit.stop_rank for entry in living}):
            self._stop_rank([entry for entry in living if entry.unit.stop_rank == rank], wake)
        if self._state.phase != "failed":
            self._state.phase = "stopped"
        self._publish()

    def _stop_rank(self, entries: Sequence[Entry], wake: _Wake) -> None:
        running = {entry.shown.name: entry.process for entry in entries if entry.process}
        for entry in entries:
            if entry.process is not None and entry.process.poll() is None:
                entry.process.send_signal(entry.unit.stop_signal)
        deadline = time.monotonic() + STOP_SECONDS
        while any(process.poll() is None for process in running.values()):
            if time.monotonic() > deadline:
                for process in running.values():
                    process.kill()
            wake.wait(TICK_SECONDS)
        for entry in entries:
            entry.process, entry.shown.pid, entry.shown.created = None, None, None
            entry.shown.state = "stopped"

    def _publish(self) -> None:
        text = self._state.model_dump_json()
        if text != self._written:
            states.write(self._home, self._state)
            self._written = text

    def _rotate_logs(self) -> None:
        if time.monotonic() - self._logs_checked < LOG_CHECK_SECONDS:
            return
        self._logs_checked = time.monotonic()
        for log in self._home.logs.glob("*.log"):
            if log.stat().st_size > LOG_BYTES_LIMIT:
                shutil.copyfile(log, log.with_suffix(".log.1"))
                # Processes append, so writing goes on at the new end of the same file.
                os.truncate(log, 0)


class _Wake:
    """Sleeps until a signal (a child's end, a stop) or the time is up."""

    def __init__(self) -> None:
        self._read, write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _nothing)

    def wait(self, seconds: float) -> None:
        ready, _, _ = select.select([self._read], [], [], seconds)
        if ready:
            os.read(self._read, 4096)


def _nothing(*_: object) -> None:
    """A handler of ours makes the signal write to the wake-up pipe."""


def _shown(unit: Unit) -> ProcessState:
    return ProcessState(name=unit.name, ports=unit.ports)


def tail(log: Path, lines: int) -> str:
    try:
        text = log.read_bytes()[-64 * 1024 :].decode(errors="replace")
    except OSError:
        return "(no log)"
    return "\n".join(text.splitlines()[-lines:])
