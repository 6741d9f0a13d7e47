"""Timed work of uploads: those past their time go, with what had come of them."""

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_archive.partials import Partials
from sebalai_archive.uploads import actions


async def sweep_uploads(database: Database, clock: Clock, partials: Partials) -> int:
    async with database.transaction() as session:
        gone = await actions.forget_expired(session, clock)
    for upload_id in gone:
        await partials.remove(upload_id)
    return len(gone)
