"""The archive's endless tasks: the relay of its facts and the sweepers."""

from functools import partial

from sebalai_shared import idempotency
from sebalai_shared.broker import EVENTS, Broker
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.health import Heartbeat
from sebalai_shared.outbox import OutboxSource
from sebalai_shared.process import every, together
from sebalai_shared.relay import Relay

from sebalai_archive.copies import Copies
from sebalai_archive.disposals.jobs import Stores, erase_destroyed, propose_due
from sebalai_archive.examinations.jobs import examine_contents
from sebalai_archive.fixity.jobs import Scrubber
from sebalai_archive.harvest.jobs import publish_changes
from sebalai_archive.national.jobs import exchange_letters
from sebalai_archive.partials import Partials
from sebalai_archive.preservation.jobs import Preserver
from sebalai_archive.recognition.jobs import recognise_for_ever
from sebalai_archive.seals.jobs import seal_plain, sweep_content, wrap_anew
from sebalai_archive.search.jobs import index_records
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.signatures.jobs import SignatureKeeper
from sebalai_archive.storing import content_store_of, preservation_of
from sebalai_archive.uploads.jobs import sweep_uploads

KEYS_SWEEP_SECONDS = 3_600.0
PROPOSE_SECONDS = 24 * 3_600.0
EXAMINE_SECONDS = 5.0
HARVEST_SECONDS = 5.0
SCRUB_SECONDS = 60.0
PRESERVE_SECONDS = 30.0
AUGMENT_SECONDS = 30.0
ERASE_SECONDS = 300.0
UPLOADS_SWEEP_SECONDS = 600.0
CONTENT_SWEEP_SECONDS = 6 * 3_600.0


async def work(settings: ArchiveSettings) -> None:
    """Runs until cancelled or until one of the tasks fails."""
    database, broker = Database(settings), Broker(settings)
    store = content_store_of(settings)
    copies = Copies(store.place, settings.replica_dir)
    beat = Heartbeat(settings.heartbeat_file)
    at = preservation_of(settings)
    preserver = Preserver(database, store, at, SystemClock())

    async def sweep_keys() -> None:
        async with database.transaction() as session:
            await idempotency.sweep(session)

    async def sweep_files() -> None:
        await sweep_content(database, store, SystemClock())

    async def forget_uploads() -> None:
        await sweep_uploads(database, SystemClock(), Partials(settings.content_dir))

    async def propose() -> None:
        await propose_due(database, SystemClock())

    async def erase() -> None:
        await erase_destroyed(database, Stores(store, copies, at), SystemClock())

    async def examine() -> None:
        await examine_contents(database, store, SystemClock(), settings.clamd_socket)
        await index_records(database, SystemClock())

    signatures = SignatureKeeper(database, store, settings, SystemClock())
    scrubber = Scrubber(database, SystemClock(), copies, settings.scrub_bytes_per_second)

    async def scrub() -> None:
        await scrubber.scrub(store.place)

    async def preserve() -> None:
        await seal_plain(database, store, SystemClock())
        await wrap_anew(database, store)
        await preserver.preserve()

    async def relay() -> None:
        await broker.connect()
        await broker.await_streams(EVENTS)
        await Relay(settings.database_dsn(), broker, OutboxSource(), beat).run()

    try:
        await together(
            relay(),
            every(KEYS_SWEEP_SECONDS, sweep_keys),
            every(EXAMINE_SECONDS, examine),
            every(HARVEST_SECONDS, partial(publish_changes, database, SystemClock())),
            every(SCRUB_SECONDS, scrub),
            every(PRESERVE_SECONDS, preserve),
            every(PROPOSE_SECONDS, propose),
            every(AUGMENT_SECONDS, signatures.augment),
            every(ERASE_SECONDS, erase),
            every(UPLOADS_SWEEP_SECONDS, forget_uploads),
            every(CONTENT_SWEEP_SECONDS, sweep_files),
            recognise_for_ever(database, store, SystemClock(), settings),
            exchange_letters(database, store, SystemClock(), settings),
        )
    finally:
        await signatures.close()
        await broker.close()
        await database.close()
