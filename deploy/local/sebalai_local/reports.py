"""What a person reads: status, logs, doctor. Changes nothing."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from sebalai_local import ailments, machine, ports, state
from sebalai_local.engines import nats, postgres
from sebalai_local.failures import Failure
from sebalai_local.home import OFFSETS, Home
from sebalai_local.machine import MEBIBYTE
from sebalai_local.state import PlatformState, ProcessState
from sebalai_local.supervisor import tail
from sebalai_local.units import is_free

TAIL_LINES = 40
TAIL_LINES_EACH = 8
FOLLOW_SECONDS = 0.3
MEMORY_NEEDED_MEBIBYTES = 1024
HEAD = ("process", "pid", "port", "since", "restarts", "state", "memory")


def status(running: PlatformState) -> str:
    kept = [one for one in running.processes if one.state != "done"]
    rows = [HEAD, *(_row(one) for one in kept)]
    total = sum(_memory(one) for one in kept)
    error = f"\n{running.error}" if running.error else ""
    about = f"platform {running.phase}, base port {running.base_port}, {total} MiB resident"
    return f"{_table(rows)}\n{about}{error}"


def status_json(running: PlatformState) -> str:
    """The same for programs; a process is `running` once it is ready."""
    words = {
        "ready": "running",
        "waiting": "starting",
        "backing off": "restarting",
        "stopping": "held",
    }
    return json.dumps(
        {
            "state": running.phase,
            "processes": [
                {
                    "name": one.name,
                    "pid": one.pid,
                    "port": one.ports[0] if one.ports else None,
                    "since": one.since,
                    "restarts": one.restarts,
                    "state": words.get(one.state, one.state),
                    "memory_mib": _memory(one),
                }
                for one in running.processes
                if one.state != "done"
            ],
        }
    )


def _row(one: ProcessState) -> tuple[str, ...]:
    since = datetime.fromtimestamp(one.since, UTC).strftime("%F %TZ") if one.since else "-"
    return (
        one.name,
        str(one.pid or "-"),
        ",".join(map(str, one.ports)) or "-",
        since,
        str(one.restarts),
        one.state,
        f"{_memory(one)} MiB",
    )


def _memory(one: ProcessState) -> int:
    """Resident MiB of the process and its children (PostgreSQL has one a connection)."""
    process = state.find(one.pid, one.created)
    if process is None:
        return 0
    total = 0
    with suppress(psutil.Error):
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                memory = each.memory_info()
                # Shared buffers are counted once a backend by RSS; take them off.
                total += memory.rss - getattr(memory, "shared", 0)
    return total // MEBIBYTE


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def logs(home: Home, name: str | None, *, follows: bool) -> None:
    """Raises: Failure, when there is no such log."""
    found = sorted(home.logs.glob("*.log"))
    if name is not None:
        found = [log for log in found if log.stem == name]
    if not found:
        names = ", ".join(sorted(log.stem for log in home.logs.glob("*.log"))) or "none yet"
        raise Failure(f"No such log; there are: {names}.", "Try `sebalai logs gateway`.")
    for log in found:
        if len(found) > 1:
            print(f"== {log.stem}")
        print(tail(log, TAIL_LINES if len(found) == 1 else TAIL_LINES_EACH), flush=True)
    if follows:
        _follow(found)


def _follow(found: Sequence[Path]) -> None:
    places = {log: log.stat().st_size for log in found}
    while True:
        for log, place in places.items():
            size = log.stat().st_size
            if size > place:
                with log.open("rb") as file:
                    file.seek(place)
                    text = file.read(size - place).decode(errors="replace")
                for line in text.splitlines():
                    print(f"{log.stem}: {line}" if len(places) > 1 else line, flush=True)
            places[log] = size  # smaller after a rotation: go on from there
        time.sleep(FOLLOW_SECONDS)


def doctor(home: Home) -> int:
    """Prints what matters on this machine; 1 when something stands in the way."""
    running = state.read(home) if state.is_supervised(home) else None
    ails = ailments.find(home, running) if running else []
    troubles = [*_versions(), *_machine(home), *_ports(home), *ails]
    for trouble in troubles:
        print(f"! {trouble}")
    print("Something stands in the way." if troubles else "All well.")
    return 1 if troubles else 0


def _versions() -> list[str]:
    print(f"python      {platform.python_version()} ({sys.executable})")
    troubles: list[str] = []
    for name, find in (
        ("postgres", lambda: postgres.find_binaries() / "postgres"),
        ("nats-server", nats.find_binary),
    ):
        try:
            binary = find()
            said = subprocess.run(
                [str(binary), "--version"], capture_output=True, check=False, text=True
            ).stdout.strip()
            print(f"{name:<11} {said} ({binary})")
        except Failure as failure:
            troubles.append(str(failure))
    return troubles


def _machine(home: Home) -> list[str]:
    existing = next(place for place in (home.root, *home.root.parents) if place.exists())
    disk = shutil.disk_usage(existing).free // MEBIBYTE
    memory = psutil.virtual_memory().available // MEBIBYTE
    print(f"home        {home.root} ({disk} MiB free)")
    print(
        f"machine     {psutil.cpu_count()} cores, {memory} MiB memory free, {platform.platform()}"
    )
    troubles: list[str] = []
    troubles += machine.full(home.root)
    for note in machine.unkept_clock():  # a demonstration may live with it; production must not
        print(f"clock       {note}")
    if memory < MEMORY_NEEDED_MEBIBYTES:
        troubles.append(f"Less than {MEMORY_NEEDED_MEBIBYTES} MiB memory is free.")
    return troubles


def _ports(home: Home) -> list[str]:
    is_running = state.is_supervised(home)
    known = ports.owners()
    troubles: list[str] = []
    for name in OFFSETS:
        if name == "govstack" and not home.has_govstack:
            continue
        port = home.port(name)
        free = is_free(port)
        print(f"port {port:<6} {name:<20} {'free' if free else known.get(port, 'taken')}")
        if not free and not is_running:
            troubles.append(f"Port {port} ({name}) is taken; set SEBALAI_PORT or end its owner.")
    return troubles
