"""What a worker runs for direct subscriptions, put together in one place."""

from collections.abc import Callable

from sebalai_shared.broker import Broker
from sebalai_shared.clock import Clock, SystemClock
from sebalai_shared.database import Database
from sebalai_shared.nkeys import AccountKey

from sebalai_exchange.direct.callout import Callout
from sebalai_exchange.direct.connections import Connections, watch_broker
from sebalai_exchange.direct.steward import Steward
from sebalai_exchange.settings import ExchangeSettings


async def direct_tasks(
    settings: ExchangeSettings,
    database: Database,
    broker: Broker,
    beat: Callable[[], None] = lambda: None,
    clock: Clock | None = None,
) -> None:
    """Runs until cancelled. Raises `MalformedSeedError`, `OSError` for a key that is none."""
    file = settings.nats_issuer_key_file
    if file is None:
        return
    key = AccountKey.from_seed(file.read_text(encoding="utf-8").strip())
    clock, watch = clock or SystemClock(), watch_broker(settings)
    await watch.connect(beat)
    try:
        connections = Connections(watch)
        steward = Steward(settings.database_dsn(), database, clock, broker, connections, beat)
        await steward.answer(Callout(database, clock, key))
        await steward.run()
    finally:
        await watch.close()
