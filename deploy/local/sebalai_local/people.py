"""A person to sign in as on a fresh platform: invented, with a password made for this platform.

Runs identity's own command, as before the first keeper of people nobody may invite through the API.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from sebalai_local import secrets
from sebalai_local.home import Home
from sebalai_local.identity_commands import run_identity

NAME = "Siti Contoh"
LOGIN = "siti.contoh"


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


def ensure(home: Home) -> None:
    """Makes the person if nobody is remembered. Raises: Failure."""
    if known(home):
        return
    password = secrets.ensure_person_password(home, LOGIN)
    made = run_identity(
        home, f"Making the person {LOGIN}", "invite-person",
        "--name", NAME, "--login", LOGIN, "--password-file", str(password),
    )  # fmt: skip
    person = Person(
        name=NAME, login=LOGIN, person_id=made["person_id"], password_file=str(password)
    )
    _file(home).write_bytes(_LIST.dump_json([person], indent=1))
