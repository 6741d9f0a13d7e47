"""`python -m sebalai_identity {api|worker|migrate|load|contracts|…}`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sebalai_shared.database import Database
from sebalai_shared.migrations import run_migrate
from sebalai_shared.process import main, run_worker, serve

from sebalai_identity import commands
from sebalai_identity.contracts import write_contracts
from sebalai_identity.settings import IdentitySettings

if TYPE_CHECKING:
    from fastapi import FastAPI

PACKAGE = Path(__file__).parent


def app(settings: IdentitySettings, database: Database | None = None) -> FastAPI:
    """Its routes take two seconds to import, which no other command needs."""
    from sebalai_identity.app import identity_app  # noqa: PLC0415

    return identity_app(settings, database)


def start() -> None:
    settings = IdentitySettings.from_environment()
    main(
        {
            "api": lambda _: serve(app(settings, Database(settings)), settings),
            "worker": lambda _: run_worker(settings, lambda: commands.work(settings)),
            "migrate": lambda _: run_migrate(settings.database_dsn("postgresql+asyncpg"), PACKAGE),
            "load": lambda _: commands.load(settings),
            "contracts": lambda _: write_contracts(app(settings)),
            "register-application": lambda rest: commands.register(settings, rest),
            "register-applications": lambda rest: commands.register_all(settings, rest),
            "invite-person": lambda rest: commands.invite_person(settings, rest),
            "rotate-key": lambda _: commands.rotate_key(settings),
            "compromise-key": lambda rest: commands.compromise_key(settings, rest),
        }
    )


if __name__ == "__main__":
    start()
