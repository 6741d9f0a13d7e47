"""Timed work of search: newly examined records enter the index."""

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_archive.search import actions


async def index_records(database: Database, clock: Clock) -> int:
    async with database.transaction() as session:
        return await actions.index_some(session, now=clock.now())
