"""Starts a program tied to this process. Owns how a child is tied, not what runs or when."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TETHER = Path(__file__).with_name("tether.py")
KEEP_USER = -1


@dataclass(frozen=True, slots=True)
class Program:
    """What to start: `arguments[0]` is an absolute path; `uid` and `gid` only count for root."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    folder: Path | None = None
    uid: int = KEEP_USER
    gid: int = KEEP_USER
    death_signal: signal.Signals = signal.SIGKILL


def own_environment() -> dict[str, str]:
    """The environment without our own settings: a child gets exactly those meant for it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SEBALAI_")}


def launch(program: Program, log: Path) -> subprocess.Popen[bytes]:
    """Starts `program` in its own session; its output is appended to `log`."""
    place = [str(os.getpid()), str(int(program.death_signal)), str(program.uid), str(program.gid)]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(TETHER), *place, "--", *program.arguments],
            env={**own_environment(), **program.environment},
            cwd=program.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
