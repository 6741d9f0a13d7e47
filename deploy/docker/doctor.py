# ruff: noqa: INP001, T201 - a script of its own, run by `doctor`
"""What ails the compose platform: containers, disks, clock, certificates, the kept write-ahead log,
and what was complained of in the last minutes. Asks the engine and the files; changes nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from sebalai_local import machine

ONE_SHOT = {"migrate", "register", "publish", "seed"}
COMPOSE = os.environ.get("COMPOSE", "docker compose").split()
SETTINGS = Path(os.environ.get("SEBALAI_ENV_FILE", ".env"))
ASK_SECONDS = 30
COMPLAINTS_SINCE = "2m"
WORDS = 300
PSQL = ("psql", "-h", "/tmp", "-U", "postgres", "-t", "-A", "-d")  # noqa: S108 - in the container
DISK_FULL = "make room before PostgreSQL stops; what may go: JournalDown in alerts.md."
_ARCHIVER = """SELECT last_failed_wal FROM pg_stat_archiver
WHERE last_failed_time > coalesce(last_archived_time, '-infinity')"""
# As old as for the alert BackupOld.
_BACKUP = """SELECT
coalesce(to_char(max(begun_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI"Z"'), 'never')
FROM backup HAVING coalesce(max(begun_at), '-infinity') < now() - interval '30 hours'"""


def ask(command: Sequence[str]) -> str:
    """What it printed; nothing where it failed, hangs or is not there."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=ASK_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def ask_database(name: str, statement: str) -> str:
    return ask([*COMPOSE, "exec", "-T", "postgres", *PSQL, name, "-c", statement]).strip()


def settings() -> dict[str, str]:
    lines = SETTINGS.read_text(encoding="utf-8").splitlines() if SETTINGS.exists() else []
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def containers() -> Iterator[str]:
    wanted = set(ask([*COMPOSE, "config", "--services"]).split())
    listed = ask([*COMPOSE, "ps", "--all", "--format", "json"]).splitlines()
    found = [json.loads(line) for line in listed]
    if not ask(["docker", "info", "--format", "{{.ServerVersion}}"]).strip():
        yield "The engine does not answer: docker version; systemctl status docker"
        return
    if not wanted:
        yield "The compose file cannot be read: docker compose config"
    for one in found:
        yield from _container(one)
    for name in sorted(wanted - {one["Service"] for one in found}):
        yield f"{name} was never started: docker compose up --detach --wait"


def _container(one: dict[str, Any]) -> Iterator[str]:
    name, state = one["Service"], one["State"]
    logs = f"docker compose logs --since 10m {name}"
    if name in ONE_SHOT:
        if one["ExitCode"] != 0:
            yield f"{name} failed with {one['ExitCode']}, and what needs it does not start: {logs}"
    elif state != "running":
        yield f"{name} is {state}: {logs}; docker compose up --detach --wait {name}"
    elif one["Health"] != "healthy":
        health = ask(["docker", "inspect", "--format", "{{json .State.Health.Log}}", one["ID"]])
        said = (json.loads(health or "null") or [{}])[-1].get("Output", "").strip()
        yield f"{name} is {one['Health'] or 'not looked at'}: {said[:WORDS]}; {logs}"


def complaints() -> Iterator[str]:
    """The last warning or error of each service; one that is over is not told apart."""
    said = dict[str, str]()
    for line in ask([*COMPOSE, "logs", "--no-color", "--since", COMPLAINTS_SINCE]).splitlines():
        name, _, text = line.partition(" | ")
        with suppress(ValueError, TypeError, KeyError):
            entry = json.loads(text)
            is_told = entry["message"].startswith("not ready:")  # by its container's health
            if entry["level"] in ("WARNING", "ERROR") and not is_told:
                said[name.strip()] = entry["message"][:WORDS]
    yield from (f"{name} said within {COMPLAINTS_SINCE}: {text}" for name, text in said.items())


def kept_log(told: dict[str, str]) -> Iterator[str]:
    if not told.get("WAL_ARCHIVE"):
        yield "WAL_ARCHIVE is not set: a lost disk takes all since the last backup (backup.md)"
        return
    failed = ask_database("postgres", _ARCHIVER)
    if failed:
        owner = told.get("SEBALAI_UID")
        yield f"{failed} cannot be kept in {told['WAL_ARCHIVE']}: is it full, or not {owner}'s?"


def backups() -> Iterator[str]:
    last = ask_database("archive", _BACKUP)
    if last:
        yield f"The last backup was begun: {last}. deploy/docker/backup FOLDER (backup.md)"


def disks(told: dict[str, str]) -> Iterator[str]:
    root = ask(["docker", "info", "--format", "{{.DockerRootDir}}"]).strip()
    for place in {root, told.get("WAL_ARCHIVE", ""), told.get("SEBALAI_SECRETS", "")}:
        if place.startswith("/"):
            yield from machine.full(Path(place), DISK_FULL)


def main() -> None:
    told = settings()
    credentials = Path(told.get("SEBALAI_SECRETS", ""), "credentials")
    looks = (
        containers(), disks(told), machine.unkept_clock(), kept_log(told), backups(),
        machine.ending_certificates(sorted(credentials.glob("*"))),
        machine.ending_tls(told.get("PUBLIC_URL", "")),
        machine.ending_tls(told.get("MTLS_URL", "")), complaints(),
    )  # fmt: skip
    is_well = True
    for line in chain.from_iterable(looks):
        is_well = False
        print(f"! {line}", flush=True)  # an engine that hangs is waited for, line by line
    print("All well." if is_well else "deploy/runbooks says more.")
    sys.exit(not is_well)


if __name__ == "__main__":
    main()
