"""Timed work of the harvest: what changed becomes visible."""

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_archive.harvest import actions


async def publish_changes(database: Database, clock: Clock) -> int:
    """Pass after pass until nothing waits; answers how many changes were shown."""
    shown = 0
    while True:
        async with database.transaction() as session:
            some = await actions.publish_changes(session, now=clock.now())
        shown += some
        if some < actions.PUBLISH_A_PASS:
            return shown
