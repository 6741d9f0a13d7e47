"""`python -m sebalai_exchange {api|worker|dispatch|migrate|load|contracts}`."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.migrations import run_migrate
from sebalai_shared.process import CONCURRENCY_LIMIT, main, run_worker, serve

from sebalai_exchange.app import exchange_app
from sebalai_exchange.contracts import write_contracts
from sebalai_exchange.deliveries.hub import STREAMS_MAX
from sebalai_exchange.ledger.note import MalformedKeyError
from sebalai_exchange.settings import ExchangeSettings
from sebalai_exchange.topics.loading import load_platform_types, read_platform_types
from sebalai_exchange.usage.tails import LISTENERS_MAX
from sebalai_exchange.worker import MissingKeyError, Worker, dispatch

PACKAGE = Path(__file__).parent
CONTRACTS = Path("docs/contracts")


def api(_: Sequence[str]) -> None:
    settings = ExchangeSettings.from_environment()
    app = exchange_app(settings, Database(settings))
    # Streams stay open: they must not take the room of calls that are answered at once.
    serve(app, settings, limit_concurrency=CONCURRENCY_LIMIT + STREAMS_MAX + LISTENERS_MAX)


def worker(_: Sequence[str]) -> None:
    settings = ExchangeSettings.from_environment()
    try:
        run_worker(settings, lambda: Worker(settings).run())
    except (MissingKeyError, MalformedKeyError) as error:
        sys.exit(f"exchange worker: {error}")


def dispatch_webhooks(_: Sequence[str]) -> None:
    settings = ExchangeSettings.from_environment()
    try:
        run_worker(settings, lambda: dispatch(settings))
    except MissingKeyError as error:
        sys.exit(f"exchange dispatcher: {error}")


def migrate(_: Sequence[str]) -> None:
    run_migrate(ExchangeSettings.from_environment().database_dsn("postgresql+asyncpg"), PACKAGE)


def load(_: Sequence[str]) -> None:
    """The platform's own event types; all else agencies bring through the API."""
    settings = ExchangeSettings.from_environment()
    schemas = read_platform_types(settings.event_types_dir)
    changed = asyncio.run(_load(settings, schemas))
    sys.stdout.write(f"platform event types: {len(schemas)}, new or changed: {changed}\n")


async def _load(settings: ExchangeSettings, schemas: Mapping[str, Any]) -> int:
    database = Database(settings)
    try:
        return await load_platform_types(database, SystemClock(), schemas)
    finally:
        await database.close()


def contracts(arguments: Sequence[str]) -> None:
    write_contracts(Path(arguments[0]) if arguments else CONTRACTS)


COMMANDS = {
    "api": api,
    "worker": worker,
    "dispatch": dispatch_webhooks,
    "migrate": migrate,
    "load": load,
    "contracts": contracts,
}

if __name__ == "__main__":
    main(COMMANDS)
