"""Registers the seed's applications with identity, and remembers their client ids.

Before the first application there is no token, so this one step runs identity's own command
instead of calling its API. What is remembered is not registered again: the run costs a second.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from sebalai_local import secrets
from sebalai_local.failures import Failure
from sebalai_local.home import Home
from sebalai_local.identity_commands import run_identity
from sebalai_local.province import SeedApplication, seed


class Application(BaseModel):
    """A registered application as `platform.json` shows it; `client` and `scopes` as identity was
    last told of them (None: by a release that did not remember).
    """

    name: str
    agency: str
    identifier: str
    client_id: str
    key_file: str
    client: dict[str, Any] | None = None
    scopes: list[str] | None = None

    @property
    def short(self) -> str:
        return f"{self.agency}/{self.name}"


_LIST = TypeAdapter(list[Application])


def known(home: Home) -> list[Application]:
    try:
        return _LIST.validate_json(home.applications_file.read_bytes())
    except (OSError, ValidationError):
        return []


def find(home: Home, short: str) -> Application:
    """Raises: Failure, listing those there are."""
    found = known(home)
    for application in found:
        if application.short == short:
            return application
    names = ", ".join(application.short for application in found) or "none"
    raise Failure(f"No application {short}; there are: {names}.", "Is the platform up?")


def register_all(home: Home, identity: Mapping[str, str] | None = None) -> None:
    """`identity` is the environment of identity's command, if it is not this machine's.

    Raises: Failure.
    """
    remembered = {application.short: application for application in known(home)}
    missing = [one for one in seed().applications if is_new(home, one, remembered)]
    made = _register(home, missing, identity) if missing else []
    remembered |= {application.short: application for application in made}
    found = list(remembered.values())
    for application in found:
        client_id = home.keys / f"{application.agency}.{application.name}.client_id"
        client_id.write_text(application.client_id, encoding="utf-8")
    home.applications_file.write_bytes(_LIST.dump_json(found, indent=1))


def is_new(home: Home, one: SeedApplication, remembered: Mapping[str, Application]) -> bool:
    """Not registered yet, or as another client (it signs people in since, or at another address),
    or with other scopes than this release's seed needs.
    """
    known = remembered.get(one.short)
    if known is None or known.scopes != one.scopes:
        return True
    return known.client != one.client_at(home.issuer)


def _register(
    home: Home, missing: Sequence[SeedApplication], environment: Mapping[str, str] | None
) -> list[Application]:
    keys = [secrets.ensure_application_key(home, one.agency, one.name) for one in missing]
    clients = [one.client_at(home.issuer) for one in missing]
    wanted = [
        {"agency": one.agency, "name": one.name, "scopes": list(one.scopes),
         "public_key": json.loads(public.read_text(encoding="utf-8")),
         **({"client": client} if client else {})}
        for one, (_, public), client in zip(missing, keys, clients, strict=True)
    ]  # fmt: skip
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(wanted, file)
        file.flush()
        answers = run_identity(
            home, "Registering the applications", "register-applications", file.name,
            environment=environment,
        )  # fmt: skip
    return [
        Application(
            name=one.name, agency=one.agency, key_file=str(private), client=client,
            scopes=one.scopes, **answer,
        )
        for one, (private, _), client, answer in zip(missing, keys, clients, answers, strict=True)
    ]  # fmt: skip


def key_of(application: Application) -> Path:
    return Path(application.key_file)
