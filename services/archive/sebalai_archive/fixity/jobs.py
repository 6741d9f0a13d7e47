"""The scrubber: verifies every content in turn at a bounded rate, repairs, replicates.

Everything here goes by the digest of the bytes as they lie: scrubbing takes no key.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_client import Gauge
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sebalai_shared.process import every

from sebalai_archive.content.places import Place
from sebalai_archive.copies import Copies, digest_of
from sebalai_archive.fixity import actions

log = logging.getLogger(__name__)

MEASURE_SECONDS = 60.0
OLDEST = Gauge("archive_oldest_unverified_seconds", "Age of the longest unverified content")
CONTENTS = Gauge("archive_contents", "Contents by what fixity knows of them", ["state"])


class Scrubber:
    """`bytes_per_second` None is as fast as it goes."""

    def __init__(
        self, database: Database, clock: Clock, copies: Copies, bytes_per_second: int | None
    ) -> None:
        self._database, self._clock, self._copies = database, clock, copies
        self._rate = bytes_per_second

    async def scrub(self, place: Place) -> int:
        """One pass over the longest unverified; answers how many it looked at."""
        async with self._database.transaction() as session:
            waiting = await actions.next_contents(session, now=self._clock.now())
        for sha256 in waiting:
            await self._verify(place, sha256)
        return len(waiting)

    async def _verify(self, place: Place, sha256: str) -> None:
        found = await digest_of(place, sha256, self._rate)
        if found == sha256:
            is_replicated = await self._replicate(sha256)
            async with self._database.transaction() as session:
                await actions.keep_sound(
                    session, sha256=sha256, is_replicated=is_replicated, now=self._clock.now()
                )
            return
        await self._copies.set_aside(sha256)
        is_back = await self._copies.repair(sha256)
        log.error("content is damaged and %s", "was repaired" if is_back else "lost")
        async with self._database.transaction() as session:
            await actions.keep_damage(
                session,
                sha256=sha256,
                damage="missing" if found is None else "damaged",
                outcome="repaired" if is_back else "lost",
                now=self._clock.now(),
            )

    async def _replicate(self, sha256: str) -> bool:
        """Sound content gets its second copy, or a better one if that went bad."""
        replica = self._copies.replica
        if replica is None:
            return False
        if await digest_of(replica, sha256, self._rate) == sha256:
            return True
        return await self._copies.copy_out(sha256)


@asynccontextmanager
async def measuring(app: FastAPI) -> AsyncGenerator[None]:
    """Keeps the figures of `/metrics` fresh while the application serves."""

    async def measure() -> None:
        async with app.state.database.transaction() as session:
            figures = await actions.measure(session, now=app.state.clock.now())
        OLDEST.set(figures.oldest_seconds)
        for name in ("contents", "never", "lost", "unreplicated", "unsealed"):
            CONTENTS.labels(name).set(getattr(figures, name))

    if app.state.database is None:
        yield
        return
    task = asyncio.create_task(every(MEASURE_SECONDS, measure))
    try:
        yield
    finally:
        task.cancel()
