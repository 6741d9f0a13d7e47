"""A person to sign in as on a fresh platform: invented, with a password made for this platform.

Runs identity's own command, as before the first keeper of people nobody may invite through the API.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from sebalai_local import processes, secrets
from sebalai_local.failures import Failure
from sebalai_local.home import Home, project_root
from sebalai_local.launching import own_environment

NAME = "Siti Contoh"
LOGIN = "siti.contoh"
INVITE_SECONDS = 60


class Person(BaseModel):
    """An invented person as `platform.json` shows them."""

    name: str
    login: str
    person_id: str
    password_file: str


_LIST = TypeAdapter(list[Person])


def _file(home: Home) -> Path:
    return home.root / "people.json"


def known(home: Home) -> list[Person]:
    try:
        return _LIST.validate_json(_file(home).read_bytes())
    except (OSError, ValidationError):
        return []


def ensure(home: Home, identity: Mapping[str, str] | None = None) -> None:
    """Makes the person if nobody is remembered. Raises: Failure."""
    if known(home):
        return
    password = secrets.ensure_person_password(home, LOGIN)
    command = [
        sys.executable, "-m", "sebalai_identity", "invite-person", "--name", NAME,
        "--login", LOGIN, "--password-file", str(password),
    ]  # fmt: skip
    done = subprocess.run(
        command,
        env={**own_environment(), **(identity or processes.member_environment(home, "identity"))},
        cwd=project_root(),
        capture_output=True,
        timeout=INVITE_SECONDS,
        check=False,
        text=True,
    )
    if done.returncode != 0:
        raise Failure(f"Making the person {LOGIN} failed:\n{done.stderr.strip()}", "See above.")
    made = json.loads(done.stdout.strip().splitlines()[-1])
    person = Person(
        name=NAME, login=LOGIN, person_id=made["person_id"], password_file=str(password)
    )
    _file(home).write_bytes(_LIST.dump_json([person], indent=1))
