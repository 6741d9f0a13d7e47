"""`python -m sebalai_archive {api|worker|migrate|load|contracts|content-keys|rebuild}`."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.migrations import run_migrate
from sebalai_shared.process import main, run_worker, serve
from sebalai_shared.reference import ReferenceFolder

from sebalai_archive.app import archive_app
from sebalai_archive.content.keys import add_keys
from sebalai_archive.loading import load_reference
from sebalai_archive.preservation.rebuilding import Rebuilder, Rebuilt, declared_in
from sebalai_archive.publishing import write_contracts
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.signing.choosing import prepare_trial
from sebalai_archive.storing import content_store_of, preservation_of
from sebalai_archive.worker import work

PACKAGE = Path(__file__).parent
CONTRACTS = Path("docs/contracts")


def _api(_: Sequence[str]) -> None:
    settings = ArchiveSettings.from_environment()
    serve(archive_app(settings, Database(settings)), settings)


def _worker(_: Sequence[str]) -> None:
    settings = ArchiveSettings.from_environment()
    run_worker(settings, lambda: work(settings))


def _migrate(_: Sequence[str]) -> None:
    settings = ArchiveSettings.from_environment()
    run_migrate(settings.database_dsn("postgresql+asyncpg"), PACKAGE)


def _load(_: Sequence[str]) -> None:
    settings = ArchiveSettings.from_environment()
    if settings.signing_trial_dir is not None:
        prepare_trial(settings.signing_trial_dir, SystemClock())
    asyncio.run(_load_all(settings))


async def rebuild_all(settings: ArchiveSettings, ledger: Sequence[str]) -> Rebuilt:
    at = preservation_of(settings)
    if at is None:
        raise SystemExit("OCFL_DIR names no storage root")
    database = Database(settings)
    try:
        rebuilder = Rebuilder(database, content_store_of(settings), at, SystemClock())
        return await rebuilder.rebuild(declared_in(ledger))
    finally:
        await database.close()


async def _load_all(settings: ArchiveSettings) -> None:
    database = Database(settings)
    try:
        counts = await load_reference(database, ReferenceFolder(settings.reference_dir))
    finally:
        await database.close()
    sys.stdout.writelines(f"{name}: {count}\n" for name, count in counts.items())


def _keys(arguments: Sequence[str]) -> None:
    """A new key for each class, in front of those there are: `content-keys FILE ID`."""
    path, key_id = arguments
    add_keys(Path(path), key_id)


def _rebuild(arguments: Sequence[str]) -> None:
    """Metadata from OCFL and the seals into an empty database; with a file of the ledger's facts
    (CloudEvents, one a line) it tells what is missing. Exit 1 when anything is.
    """
    settings = ArchiveSettings.from_environment()
    ledger = Path(arguments[0]).read_text("utf-8").splitlines() if arguments else []
    rebuilt = asyncio.run(rebuild_all(settings, ledger))
    sys.stdout.write(f"{rebuilt}\n")
    raise SystemExit(0 if rebuilt.is_whole else 1)


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
            "content-keys": _keys,
            "rebuild": _rebuild,
        }
    )
