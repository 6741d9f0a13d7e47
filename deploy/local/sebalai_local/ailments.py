"""What ails a platform that runs here: who is away, who does not move, who complains. One line
each, with what to do. Changes nothing.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sebalai_shared.clock import SystemClock

from sebalai_local import machine
from sebalai_local.home import Home
from sebalai_local.state import PlatformState, ProcessState
from sebalai_local.supervisor import tail
from sebalai_local.units import CHECK_SECONDS

SILENT_SECONDS = 30
COMPLAINT_SECONDS = 60
COMPLAINT_CHARACTERS = 300
LOG_LINES = 200
ENGINES = {"postgres": "Calls and requests are 503 until it is back.", "nats": "Facts wait."}


def find(home: Home, running: PlatformState) -> list[str]:
    """Every trouble of the platform, the worst first."""
    kept = [one for one in running.processes if one.state != "done"]
    beats = list((home.root / "heartbeats").glob("*"))
    return [
        *(line for one in kept for line in _process(home, one)),
        *machine.clock_put_back([*beats, home.state_file]),
        *machine.ending_certificates(_certificates(home)),
        *(line for one in kept for line in _complaint(home.logs / f"{one.name}.log", one.name)),
    ]


def _certificates(home: Home) -> Iterator[Path]:
    for folder in (home.root / "credentials", home.secrets / "signing"):
        yield from sorted(folder.glob("*"))


def _process(home: Home, one: ProcessState) -> Iterator[str]:
    logs, log = f"`sebalai logs {one.name}`", home.logs / f"{one.name}.log"
    if one.state == "held":
        meanwhile = ENGINES.get(one.name, "")
        yield f"{one.name} is held. {meanwhile} End that: `sebalai start {one.name}`."
    elif one.state == "backing off":
        said = _last_words(log)
        yield f"{one.name} ended, {one.restarts} times; its last words: {said} See {logs}."
    elif one.state != "ready":
        yield f"{one.name} is {one.state}; see {logs}."
    elif one.name.endswith(("-worker", "-dispatcher")):
        yield from _silent(home.root / "heartbeats" / one.name, one)
    elif one.ports and one.name not in ENGINES:
        yield from _unready(one)


def _silent(beat: Path, one: ProcessState) -> Iterator[str]:
    with suppress(OSError):
        age = time.time() - beat.stat().st_mtime
        if age > SILENT_SECONDS:
            yield (
                f"{one.name} runs and has not moved for {age:.0f} s: `sebalai logs {one.name}`, "
                f"then `sebalai stop {one.name}` and `sebalai start {one.name}`."
            )


def _unready(one: ProcessState) -> Iterator[str]:
    connection = http.client.HTTPConnection("127.0.0.1", one.ports[0], timeout=3 * CHECK_SECONDS)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        yield f"{one.name} does not answer ({error}): `sebalai logs {one.name}`."
        return
    finally:
        connection.close()
    if answer.status == 503:
        parts = json.loads(body).get("parts", {})
        failing = ", ".join(name for name, state in parts.items() if state != "ok")
        yield f"{one.name} cannot use its {failing}: see there first."


def _complaint(log: Path, name: str) -> Iterator[str]:
    """The last warning or error of the last minute; readiness was just asked for itself."""
    for line in reversed(tail(log, LOG_LINES).splitlines()):
        with suppress(ValueError, TypeError, KeyError):
            said = json.loads(line)
            age = (SystemClock().now() - datetime.fromisoformat(said["time"])).total_seconds()
            if age > COMPLAINT_SECONDS:
                return
            is_asked = said["message"].startswith("not ready:")
            if said["level"] in ("WARNING", "ERROR") and not is_asked:
                yield f"{name} says ({age:.0f} s ago): {said['message'][:COMPLAINT_CHARACTERS]}"
                return


def _last_words(log: Path) -> str:
    lines = [line for line in tail(log, LOG_LINES).splitlines() if line.strip()]
    if not lines:
        return "nothing."
    with suppress(ValueError, KeyError):
        said = json.loads(lines[-1])
        raised = said.get("exception", "").strip().splitlines()
        return (raised[-1] if raised else said["message"])[:COMPLAINT_CHARACTERS]
    return lines[-1][:COMPLAINT_CHARACTERS]
