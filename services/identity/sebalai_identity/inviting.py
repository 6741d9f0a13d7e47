"""The command `invite-person`: a one-time code for a person, for those who have no keeper yet.

`--name` registers a person first; with `--login` and `--password-file` the code is used at once,
which is how a demonstration platform gets somebody to sign in as.
"""

import argparse
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.credentials.actions import Keeper, Terms, accept, issue, page_of_code
from sebalai_identity.desk import OPERATOR, Desk
from sebalai_identity.persons.actions import PersonRegister, register_person
from sebalai_identity.settings import IdentitySettings


def read(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("sebalai_identity invite-person")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--person", type=UUID, metavar="ID")
    who.add_argument("--name", metavar="NAME", help="register a sponsored person of this name")
    parser.add_argument("--days", type=int, default=365, help="how long a person of --name lasts")
    parser.add_argument("--sponsor", metavar="SLUG")
    parser.add_argument("--hours", type=int, default=72)
    parser.add_argument("--forget-factors", action="store_true", help="for who lost them all")
    parser.add_argument("--login", help="use the code at once")
    parser.add_argument("--password-file", type=Path)
    given = parser.parse_args(list(arguments))
    if (given.login is None) != (given.password_file is None):
        parser.error("--login and --password-file go together")
    return given


async def invite(
    session: AsyncSession, settings: IdentitySettings, keeper: Keeper, given: argparse.Namespace
) -> dict[str, Any]:
    """What is printed. Raises problems of persons and credentials, and OSError."""
    person_id = given.person or await _registered(session, keeper, given)
    made = await issue(
        session,
        keeper,
        caller=OPERATOR,
        person_id=person_id,
        terms=Terms(given.sponsor, timedelta(hours=given.hours), given.forget_factors),
    )
    if given.login is not None:
        password = given.password_file.read_text(encoding="utf-8").strip()
        await accept(session, keeper, code=made.code, login=given.login, password=password)
        return {"person_id": str(person_id), "login": given.login}
    return {
        "person_id": str(person_id),
        "code": made.code,
        "address": page_of_code(settings.public_url, made.code),
        "expires_at": made.expires_at.isoformat(),
    }


async def _registered(session: AsyncSession, keeper: Keeper, given: argparse.Namespace) -> UUID:
    until = keeper.clock.now() + timedelta(days=given.days)
    wanted = PersonRegister(name=given.name, valid_until=until)
    # Whoever's password lies in a file is nobody real.
    source = "command-line" if given.login is None else "synthetic"
    desk = Desk(OPERATOR, keeper.clock)
    return (await register_person(session, desk, wanted=wanted, source=source)).id
