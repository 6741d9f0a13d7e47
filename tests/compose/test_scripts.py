"""What an operator's scripts do when a step fails; the engine is a few lines that answer as told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A copy of the databases as pg_basebackup writes it, as small as can be.
ENGINE = """#!/bin/sh
echo "$*" >>"$SAID"
case "$*" in
  *pg_basebackup*) cd "$(dirname "$0")" && tar -cf - backup_label backup_manifest ;;
  *"exec -T archive tar"*) exit "${CONTENT:-0}" ;;
esac
"""


@pytest.fixture
def backup(tmp_path):
    engine = tmp_path / "engine"
    engine.write_text(ENGINE, encoding="utf-8")
    engine.chmod(0o700)
    (tmp_path / "backup_manifest").write_text("{}", encoding="utf-8")
    label = "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\n"
    (tmp_path / "backup_label").write_text(label, encoding="utf-8")
    (tmp_path / "ledger.vkey").write_text("bus.example+1+A\n", encoding="utf-8")
    (tmp_path / "env").write_text(f"SEBALAI_SECRETS={tmp_path}\n", encoding="utf-8")
    env = os.environ | {
        "COMPOSE": str(engine), "SEBALAI_ENV_FILE": str(tmp_path / "env"),
        "SAID": str(tmp_path / "said"),
    }  # fmt: skip

    def run(folder, **more):
        return subprocess.run(
            [ROOT / "deploy/docker/backup", folder], env=env | more,
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip

    return run


def test_whole_backup_stands_under_its_name_and_is_noted(backup, tmp_path):
    done = backup(tmp_path / "kept" / "1")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["1"]
    wal = (tmp_path / "kept" / "1" / "wal-from").read_text(encoding="utf-8")
    assert wal == "000000010000000000000002\n"
    assert "INSERT INTO backup" in (tmp_path / "said").read_text(encoding="utf-8")


def test_backup_that_fails_leaves_nothing_behind_and_is_not_noted(backup, tmp_path):
    done = backup(tmp_path / "kept" / "1", CONTENT="2")
    assert done.returncode != 0
    assert list((tmp_path / "kept").iterdir()) == []
    assert "INSERT INTO backup" not in (tmp_path / "said").read_text(encoding="utf-8")


def test_two_backups_do_not_write_into_one_folder(backup, tmp_path):
    written = tmp_path / "kept" / "1.part" / "base.tar.gz"
    written.parent.mkdir(parents=True)
    written.write_text("by another", encoding="utf-8")
    done = backup(tmp_path / "kept" / "1")
    assert done.returncode == 1
    assert "another backup" in done.stderr
    assert written.read_text(encoding="utf-8") == "by another"


DOCKER = """#!/bin/sh
[ -z "${DAEMON_AWAY:-}" ] || exit 1
case "$1 $2" in
  "info --format") case "$3" in *Version*) echo 28.0.0 ;; *) dirname "$0" ;; esac ;;
esac
"""
# Of two services one runs; the database answers what it is told to.
SERVICES = """#!/bin/sh
case "$*" in
  *--services*) printf 'gateway\nportal\n' ;;
  *"ps --all"*) [ -n "${DAEMON_AWAY:-}" ] || printf '%s\n' \
    '{"Service": "gateway", "State": "running", "Health": "healthy", "ID": "1", "ExitCode": 0}' ;;
  *"FROM backup"*) echo "${BACKED_UP:-}" ;;
esac
"""


@pytest.fixture
def doctor(tmp_path):
    for name, content in (("docker", DOCKER), ("engine", SERVICES)):
        (tmp_path / name).write_text(content, encoding="utf-8")
        (tmp_path / name).chmod(0o700)
    (tmp_path / "env").write_text("WAL_ARCHIVE=kept\n", encoding="utf-8")

    def run(**more):
        env = os.environ | {
            "PATH": f"{tmp_path}:{os.environ['PATH']}", "COMPOSE": str(tmp_path / "engine"),
            "SEBALAI_ENV_FILE": str(tmp_path / "env"), "VENV": str(Path(sys.executable).parents[1]),
        }  # fmt: skip
        done = subprocess.run(
            [ROOT / "deploy/docker/doctor"], env=env | more,
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.stderr == ""
        # Room and clock of the machine that tests are another matter.
        return [
            line for line in done.stdout.splitlines() if "disk" not in line and "clock" not in line
        ]

    return run


def test_doctor_names_the_service_that_is_not_there(doctor):
    assert doctor()[0] == "! portal was never started: docker compose up --detach --wait"


def test_doctor_of_an_engine_that_is_away_says_that_and_not_that_services_are_missing(doctor):
    for troubles in (doctor(DAEMON_AWAY="1"), doctor(DAEMON_AWAY="1", COMPOSE="/not/there")):
        assert "The engine does not answer" in troubles[0]
        assert not [line for line in troubles if "never started" in line]


@pytest.mark.parametrize("last", ["never", "2026-11-28 01:00Z"])
def test_doctor_says_when_the_platform_is_not_backed_up(doctor, last):
    (told,) = [line for line in doctor(BACKED_UP=last) if "backup" in line and "!" in line]
    assert f"begun: {last}." in told
    assert not [line for line in doctor() if "last backup" in line]
