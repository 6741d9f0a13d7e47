"""`python -m sebalai_gateway {api|govstack|worker|migrate|load|contracts}`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from sebalai_shared.broker import JOURNAL, Broker
from sebalai_shared.health import Heartbeat
from sebalai_shared.migrations import run_migrate
from sebalai_shared.process import every, main, run_worker, together
from sebalai_shared.relay import Relay
from sebalai_shared.settings import MemberSettings

from sebalai_gateway import serving
from sebalai_gateway.journal import jobs
from sebalai_gateway.journal.source import JournalSource
from sebalai_gateway.repeats.store import SWEEP_EACH_SECONDS, sweep
from sebalai_gateway.settings import GatewaySettings

PACKAGE = Path(__file__).parent


def api(_: Sequence[str]) -> None:
    serving.run(GatewaySettings.from_environment())


def govstack(_: Sequence[str]) -> None:
    """A listener of its own, off unless it is started (docs/protocols/govstack.md)."""
    serving.run(GatewaySettings.from_environment(), is_govstack=True)


def worker(_: Sequence[str]) -> None:
    settings = MemberSettings.from_environment()
    run_worker(settings, lambda: _work(settings))


async def _work(settings: MemberSettings) -> None:
    beat, broker, dsn = (
        Heartbeat(settings.heartbeat_file),
        Broker(settings),
        settings.database_dsn(),
    )

    close_open = jobs.Reconciler(dsn)

    async def reconcile() -> None:
        await close_open()

    async def partitions() -> None:
        await jobs.keep_partitions(dsn)

    async def forget() -> None:
        await sweep(dsn)

    async def relay() -> None:
        # The jobs must not wait for NATS, so the relay alone does.
        await broker.connect(beat)
        await broker.await_streams(JOURNAL)
        await Relay(dsn, broker, JournalSource(), beat).run()

    await together(
        relay(),
        every(jobs.RECONCILE_EACH_SECONDS, reconcile),
        every(jobs.PARTITIONS_EACH_SECONDS, partitions),
        every(SWEEP_EACH_SECONDS, forget),
    )


def migrate(_: Sequence[str]) -> None:
    settings = MemberSettings.from_environment()
    run_migrate(settings.database_dsn("postgresql+asyncpg"), PACKAGE)
    asyncio.run(jobs.keep_partitions(settings.database_dsn()))


def nothing(_: Sequence[str]) -> None:
    """The gateway has no reference data and no contract of its own beyond docs/protocols."""


if __name__ == "__main__":
    main(
        {
            "api": api, "govstack": govstack, "worker": worker, "migrate": migrate,
            "load": nothing, "contracts": nothing,
        }
    )  # fmt: skip
