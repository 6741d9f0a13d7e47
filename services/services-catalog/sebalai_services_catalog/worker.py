"""The catalogue's endless tasks: relay of its facts, consumer of exchange's, deadlines, sweeper."""

from collections.abc import Coroutine
from typing import Any

from sebalai_shared.broker import EVENTS, Broker
from sebalai_shared.clock import Clock, SystemClock
from sebalai_shared.consumer import Consumer, sweep_inbox
from sebalai_shared.database import Database
from sebalai_shared.health import Heartbeat
from sebalai_shared.idempotency import sweep as sweep_idempotency
from sebalai_shared.outbox import OutboxSource
from sebalai_shared.process import every, together
from sebalai_shared.relay import Relay

from sebalai_services_catalog.apis.jobs import (
    FEED,
    REGISTER_SECONDS,
    on_interface,
    refresh_register,
)
from sebalai_services_catalog.apis.register import exchange_client
from sebalai_services_catalog.batches import in_batches
from sebalai_services_catalog.complaints.actions import keep_deadlines as keep_complaint_deadlines
from sebalai_services_catalog.complaints.actions import redo_deadlines as redo_complaint_deadlines
from sebalai_services_catalog.complaints.jobs import DEADLINES_SECONDS as COMPLAINTS_SECONDS
from sebalai_services_catalog.complaints.jobs import (
    LAPOR_SECONDS,
    lapor_client,
    tell_lapor,
)
from sebalai_services_catalog.evidence.actions import end_consents
from sebalai_services_catalog.payments.jobs import (
    ACCOUNTS_SECONDS,
    keep_accounts,
    payments_client,
    snap_gateway,
)
from sebalai_services_catalog.processing.jobs import FEED as AGREEMENTS
from sebalai_services_catalog.processing.jobs import on_agreement
from sebalai_services_catalog.requests.jobs import DEADLINES_SECONDS, keep_deadlines
from sebalai_services_catalog.settings import CatalogSettings

INBOX_SWEEP_SECONDS = 24 * 3_600.0
CONSENTS_SECONDS = 60.0


def _outside(
    settings: CatalogSettings, database: Database, clock: Clock
) -> list[Coroutine[Any, Any, None]]:
    """The tasks that speak to other systems, of those that are connected."""
    tasks = list[Coroutine[Any, Any, None]]()
    if settings.lapor_url:
        tasks.append(_tell_lapor(settings, database))
    if settings.payments_url:
        tasks.append(_keep_accounts(settings, database, clock))
    if settings.gateway_url:
        tasks.append(_keep_register(settings, database))
    return tasks


async def _keep_register(settings: CatalogSettings, database: Database) -> None:
    async with exchange_client(settings.gateway_url) as client:

        async def keep() -> None:
            await refresh_register(database, client)

        await every(REGISTER_SECONDS, keep)


async def _tell_lapor(settings: CatalogSettings, database: Database) -> None:
    async with lapor_client(settings) as client:

        async def tell() -> None:
            await tell_lapor(database, client)

        await every(LAPOR_SECONDS, tell)


async def _keep_accounts(settings: CatalogSettings, database: Database, clock: Clock) -> None:
    async with payments_client(settings) as client:
        gateway = snap_gateway(settings, client, clock)

        async def keep() -> None:
            await keep_accounts(database, gateway, clock)

        await every(ACCOUNTS_SECONDS, keep)


async def work(settings: CatalogSettings) -> None:
    """Runs until cancelled or until one of the tasks fails."""
    database, broker = Database(settings), Broker(settings)
    beat, clock = Heartbeat(settings.heartbeat_file), SystemClock()

    async def sweep() -> None:
        async with database.transaction() as session:
            await sweep_inbox(session)
            await sweep_idempotency(session)

    async def deadlines() -> None:
        await keep_deadlines(database, clock)

    async def complaints() -> None:
        await in_batches(database, clock, redo_complaint_deadlines)
        await in_batches(database, clock, keep_complaint_deadlines)

    async def consents() -> None:
        await in_batches(database, clock, end_consents)

    async def transport() -> None:
        await broker.connect()
        await broker.await_streams(EVENTS)
        await together(
            Relay(settings.database_dsn(), broker, OutboxSource(), beat).run(),
            Consumer(broker, database, FEED, on_interface, beat).run(),
            Consumer(broker, database, AGREEMENTS, on_agreement, beat).run(),
        )

    try:
        await together(
            transport(),
            every(INBOX_SWEEP_SECONDS, sweep),
            every(DEADLINES_SECONDS, deadlines),
            every(COMPLAINTS_SECONDS, complaints),
            every(CONSENTS_SECONDS, consents),
            *_outside(settings, database, clock),
        )
    finally:
        await broker.close()
        await database.close()
