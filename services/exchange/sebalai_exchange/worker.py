"""The worker of exchange: which endless tasks run side by side.

What needs NATS waits for it on its own; the sequencer and the sweeps go on without it.
"""

from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any

from sebalai_shared import consumer as inbox
from sebalai_shared import idempotency
from sebalai_shared.broker import EVENTS, JOURNAL, Broker
from sebalai_shared.clock import SystemClock
from sebalai_shared.consumer import Consumer, Feed, Handler
from sebalai_shared.database import Database
from sebalai_shared.health import Heartbeat
from sebalai_shared.outbox import OutboxSource
from sebalai_shared.process import every, together
from sebalai_shared.relay import Relay

from sebalai_exchange.app import route_compiler, webhook_secrets
from sebalai_exchange.deliveries.dispatcher import Dispatcher
from sebalai_exchange.deliveries.jobs import forget_ended
from sebalai_exchange.deliveries.receipts import BATCH_ROWS, give_receipts
from sebalai_exchange.direct.running import direct_tasks
from sebalai_exchange.interfaces.jobs import forget_unpublished
from sebalai_exchange.ledger import events as ledger_events
from sebalai_exchange.ledger.heads import Heads
from sebalai_exchange.ledger.jobs import forget_checkpoints
from sebalai_exchange.ledger.note import Signer, read_signer
from sebalai_exchange.ledger.sequencer import LogKey, Sequencer
from sebalai_exchange.publishing import events as publishing_events
from sebalai_exchange.publishing.jobs import forget_events, forget_seen
from sebalai_exchange.publishing.sequencer import Sequencer as EventSequencer
from sebalai_exchange.routes.jobs import RoutesPublisher
from sebalai_exchange.settings import ExchangeSettings
from sebalai_exchange.usage.jobs import forget_calls

SWEEP_EACH_SECONDS = 3_600.0
RECEIPTS_EACH_SECONDS = 0.5
FEEDS: tuple[tuple[Feed, Handler], ...] = (
    (ledger_events.CALLS, ledger_events.on_calls),
    (ledger_events.FACTS, ledger_events.on_fact),
    (publishing_events.FACTS, publishing_events.on_fact),
)
SWEEPS = (
    idempotency.sweep,
    inbox.sweep_inbox,
    forget_checkpoints,
    forget_calls,
    forget_ended,
    forget_unpublished,
)


class MissingKeyError(Exception):
    """A key the worker signs with is not set or does not fit."""


def ledger_signer(settings: ExchangeSettings) -> Signer:
    """Raises `MissingKeyError`, `MalformedKeyError`, `OSError`."""
    if settings.ledger_key_file is None:
        raise MissingKeyError("set SEBALAI_LEDGER_KEY_FILE: nothing is signed without a key")
    signer = read_signer(settings.ledger_key_file.read_text(encoding="utf-8"))
    if signer.name != settings.origin():
        raise MissingKeyError(
            f"the ledger key is named {signer.name}, but SEBALAI_LEDGER_ORIGIN is "
            f"{settings.origin()}: a log keeps one name for good"
        )
    return signer


class Worker:
    def __init__(self, settings: ExchangeSettings) -> None:
        self._settings, self._database = settings, Database(settings)
        self._beat, self._clock = Heartbeat(settings.heartbeat_file), SystemClock()
        compiler = route_compiler(settings, self._clock)
        if compiler is None:
            raise MissingKeyError("set SEBALAI_ROUTES_KEY_FILE: no route is signed without a key")
        self._compiler = compiler
        self._key = LogKey(ledger_signer(settings), self._clock)
        self._heads = Heads(settings.ledger_heads_dir, settings.origin())
        self._dsn = settings.database_dsn()

    async def run(self) -> None:
        """Runs until cancelled or until one task fails."""
        try:
            await together(
                Sequencer(self._dsn, self._key, self._beat, self._heads).run(),
                EventSequencer(self._dsn, self._beat).run(),
                every(RECEIPTS_EACH_SECONDS, self._give_receipts),
                every(SWEEP_EACH_SECONDS, self._sweep),
                self._with_broker(),
            )
        finally:
            await self._database.close()

    async def _with_broker(self) -> None:
        broker = Broker(self._settings)
        streams = partial(broker.await_streams, EVENTS, JOURNAL, is_owner=True)
        await broker.connect()
        try:
            # Both streams, also after a broker came back without its disk.
            broker.on_reconnect(streams)
            await streams()
            await together(
                Relay(self._dsn, broker, OutboxSource(), self._beat).run(),
                *(self._consumer(broker, *feed).run() for feed in FEEDS),
                RoutesPublisher(self._database, broker, self._compiler, self._beat).run(),
                *self._direct(broker),
            )
        finally:
            await broker.close()

    def _direct(self, broker: Broker) -> Sequence[Coroutine[Any, Any, None]]:
        if self._settings.nats_issuer_key_file is None:
            return ()
        return (direct_tasks(self._settings, self._database, broker, self._beat),)

    def _consumer(self, broker: Broker, feed: Feed, handler: Handler) -> Consumer:
        return Consumer(broker, self._database, feed, handler, self._beat)

    async def _give_receipts(self) -> None:
        """All that are due, a bounded batch a transaction."""
        given = BATCH_ROWS
        while given == BATCH_ROWS:
            async with self._database.transaction() as session:
                given = await give_receipts(session)

    async def _sweep(self) -> None:
        for sweep in SWEEPS:
            async with self._database.transaction() as session:
                await sweep(session)
        for forget in (forget_seen, forget_events):
            is_more = True
            while is_more:
                async with self._database.transaction() as session:
                    is_more = await forget(session)


async def dispatch(settings: ExchangeSettings) -> None:
    """Serves webhooks until cancelled: a process of its own, the only one that calls out.

    Raises `MissingKeyError`, `OSError`, `DispatcherLostError`.
    """
    secrets = webhook_secrets(settings)
    if secrets is None:
        raise MissingKeyError("set SEBALAI_WEBHOOK_KEY_FILE: no webhook is signed without a key")
    database = Database(settings)
    targets = (settings.webhook_reach(), secrets, settings.public_url)
    beat = Heartbeat(settings.heartbeat_file)
    try:
        await Dispatcher(settings.database_dsn(), database, targets, beat).run()
    finally:
        await database.close()
