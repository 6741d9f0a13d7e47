"""Up, down, reset: the supervisor as seen from a terminal."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

import psutil

from sebalai_local import holding, ports, secrets, state
from sebalai_local.engines import place
from sebalai_local.failures import Failure
from sebalai_local.home import Home, project_root
from sebalai_local.launching import own_environment
from sebalai_local.supervisor import Supervisor, tail
from sebalai_local.units import Unit

POLL_SECONDS = 0.1
UP_SECONDS = 240
DOWN_SECONDS = 90
ORPHAN_SECONDS = 10
TAIL_LINES = 20


def supervise(home: Home, units: Sequence[Unit]) -> int:
    """Is the supervisor, until told to stop; 3 when another one serves this home."""
    with state.lock(state.supervisor_lock(home), wait=False) as is_ours:
        if not is_ours:
            return 3
        return Supervisor(home, units).run()


def up(home: Home, wanted_ports: dict[int, str], module: Sequence[str]) -> float | None:
    """Starts the platform; answers the seconds it took, or none if it ran already.

    `module` are the arguments by which Python becomes the supervisor.

    Raises:
        Failure: a port is taken, or the start failed.

    """
    home.make()
    with state.lock(home.root / "up.lock", wait=True):
        began = time.monotonic()
        if state.is_supervised(home):
            _require_same_ports(home)
            _follow(home, None)
            return None
        end_leftovers(home)
        ports.require_free(wanted_ports)
        secrets.ensure(home)
        holding.forget_all(home)
        home.state_file.unlink(missing_ok=True)
        _follow(home, _start_supervisor(home, module))
        return time.monotonic() - began


def _require_same_ports(home: Home) -> None:
    running = state.read(home)
    if running is not None and running.base_port != home.base_port:
        raise Failure(
            f"The platform in {home.root} runs on base port {running.base_port},"
            f" not {home.base_port}.",
            "Run `sebalai down` first, or set another SEBALAI_HOME for a second platform.",
        )


def _start_supervisor(home: Home, module: Sequence[str]) -> subprocess.Popen[bytes]:
    environment = {**own_environment(), **home.environment}
    pg_bin = os.environ.get("SEBALAI_PG_BIN")
    if pg_bin:
        environment["SEBALAI_PG_BIN"] = pg_bin
    with (home.logs / "supervisor.log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, *module],
            env=environment,
            cwd=project_root(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # no terminal can hang it up; init adopts it when we end
        )


def _follow(home: Home, child: subprocess.Popen[bytes] | None) -> None:
    """Prints each unit as it gets ready, until the platform runs. Raises: Failure."""
    shown = 0
    deadline = time.monotonic() + UP_SECONDS
    while time.monotonic() < deadline:
        now = state.read(home)
        if now is not None:
            if child is not None:
                for name, seconds in now.done[shown:]:
                    print(f"  {seconds:6.2f} s  {name}", flush=True)
                shown = len(now.done)
            if now.phase == "running":
                return
            if now.phase == "failed":
                _wait_gone(child)
                raise Failure(now.error or "The start failed.")
        if child is not None and child.poll() is not None:
            said = tail(home.logs / "supervisor.log", TAIL_LINES)
            raise Failure(f"The supervisor ended:\n{said}", "Run `sebalai doctor`.")
        time.sleep(POLL_SECONDS)
    raise Failure(f"Not running after {UP_SECONDS} s.", "See `sebalai status`, `sebalai logs`.")


def _wait_gone(child: subprocess.Popen[bytes] | None) -> None:
    if child is not None:
        child.wait(DOWN_SECONDS)


def down(home: Home) -> list[int]:
    """Stops everything; answers the ports that were proven free. Raises: Failure."""
    running = state.read(home)
    if state.is_supervised(home) and running is not None:
        supervisor = state.find(running.pid, running.created)
        if supervisor is not None:
            supervisor.send_signal(signal.SIGTERM)
            _, alive = psutil.wait_procs([supervisor], timeout=DOWN_SECONDS)
            for process in alive:
                process.kill()
    end_leftovers(home)
    used = [port for one in running.processes for port in one.ports] if running else []
    taken = ports.still_taken(used)
    if taken:
        known = ports.owners()
        named = ", ".join(f"{port}: {known.get(port, 'unknown')}" for port in taken)
        raise Failure(f"Stopped, but ports are taken by others: {named}.", "Look at those.")
    return used


def end_leftovers(home: Home) -> None:
    """Ends what a killed supervisor left; a pid that another process has now is not touched."""
    last = state.read(home)
    if last is None or state.is_supervised(home):
        return
    found = state.leftovers(last)
    # Tied children are already on their way out; only what stays is told, then made to go.
    _, alive = psutil.wait_procs(found, timeout=0.5)
    for process in alive:
        process.terminate()
    _, alive = psutil.wait_procs(alive, timeout=ORPHAN_SECONDS)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=ORPHAN_SECONDS)


def reset(home: Home) -> None:
    """Stops and forgets all data, keys and logs of this home; the code stays."""
    down(home)
    place.forget(home.root)
    if home.root.is_dir() and not (home.state_file.exists() or (home.root / "secrets").is_dir()):
        raise Failure(
            f"{home.root} does not look like a platform's home; it is left alone.",
            "Check SEBALAI_HOME.",
        )
    shutil.rmtree(home.root, ignore_errors=False) if home.root.is_dir() else None
