"""Timed work of records: content that nothing names is swept away once it is old."""

import logging
from collections.abc import Sequence

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_archive.content_store import ContentStore
from sebalai_archive.naming import named_content

log = logging.getLogger(__name__)


async def sweep_content(database: Database, store: ContentStore, clock: Clock) -> int:
    async def named(digests: Sequence[str]) -> set[str]:
        async with database.transaction() as session:
            return await named_content(session, digests=digests, now=clock.now())

    removed = await store.sweep(named)
    if removed:
        log.info("swept %d files that nothing names", removed)
    return removed
