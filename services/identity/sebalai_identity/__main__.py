"""`python -m sebalai_identity {api|worker|migrate|load|contracts|…}`."""

from pathlib import Path

from sebalai_shared.database import Database
from sebalai_shared.migrations import run_migrate
from sebalai_shared.process import main, run_worker, serve

from sebalai_identity import commands
from sebalai_identity.app import identity_app
from sebalai_identity.contracts import write_contracts
from sebalai_identity.settings import IdentitySettings

PACKAGE = Path(__file__).parent


def start() -> None:
    settings = IdentitySettings.from_environment()
    main(
        {
            "api": lambda _: serve(identity_app(settings, Database(settings)), settings),
            "worker": lambda _: run_worker(settings, lambda: commands.work(settings)),
            "migrate": lambda _: run_migrate(settings.database_dsn("postgresql+asyncpg"), PACKAGE),
            "load": lambda _: commands.load(settings),
            "contracts": lambda _: write_contracts(identity_app(settings)),
            "register-application": lambda rest: commands.register(settings, rest),
            "register-applications": lambda rest: commands.register_all(settings, rest),
            "invite-person": lambda rest: commands.invite_person(settings, rest),
            "rotate-key": lambda _: commands.rotate_key(settings),
            "compromise-key": lambda rest: commands.compromise_key(settings, rest),
        }
    )


if __name__ == "__main__":
    start()
