"""`python -m sebalai_services_catalog {api|worker|migrate|load|contracts}`."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.migrations import run_migrate
from sebalai_shared.process import main, run_worker, serve

from sebalai_services_catalog.app import catalog_app
from sebalai_services_catalog.loading import load_reference
from sebalai_services_catalog.publishing import write_contracts
from sebalai_services_catalog.settings import CatalogSettings
from sebalai_services_catalog.worker import work

PACKAGE = Path(__file__).parent
CONTRACTS = Path("docs/contracts")


def _api(_: Sequence[str]) -> None:
    settings = CatalogSettings.from_environment()
    serve(catalog_app(settings, Database(settings)), settings)


def _worker(_: Sequence[str]) -> None:
    settings = CatalogSettings.from_environment()
    run_worker(settings, lambda: work(settings))


def _migrate(_: Sequence[str]) -> None:
    settings = CatalogSettings.from_environment()
    run_migrate(settings.database_dsn("postgresql+asyncpg"), PACKAGE)


def _load(_: Sequence[str]) -> None:
    asyncio.run(_load_all(CatalogSettings.from_environment()))


async def _load_all(settings: CatalogSettings) -> None:
    database = Database(settings)
    try:
        counts = await load_reference(database, SystemClock(), settings.reference_dir)
    finally:
        await database.close()
    sys.stdout.writelines(f"{name}: {count}\n" for name, count in counts.items())


def _contracts(arguments: Sequence[str]) -> None:
    write_contracts(Path(arguments[0]) if arguments else CONTRACTS)


if __name__ == "__main__":
    main(
        {
            "api": _api,
            "worker": _worker,
            "migrate": _migrate,
            "load": _load,
            "contracts": _contracts,
        }
    )
