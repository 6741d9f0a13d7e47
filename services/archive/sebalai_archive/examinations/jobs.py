"""Timed work of examinations: one content after another, never in a request."""

import logging
from pathlib import Path

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_archive import examining
from sebalai_archive.content_store import ContentStore
from sebalai_archive.examinations import actions
from sebalai_archive.examining import Found

log = logging.getLogger(__name__)


async def examine_contents(
    database: Database, store: ContentStore, clock: Clock, clamd: Path | None
) -> int:
    """Looks into up to a pass of new contents; answers how many. While clamd is away it waits."""
    async with database.transaction() as session:
        waiting = await actions.next_contents(session, now=clock.now())
    done = 0
    for sha256 in waiting:
        path = store.path(sha256)
        try:
            word, virus = await examining.scan(path, clamd)
        except examining.ScanUnavailable as error:
            log.warning("the virus scanner does not answer: %s", error)
            return done
        if word == "infected":
            found = Found("infected", note=virus)
        else:
            found = await examining.examine(path)
        async with database.transaction() as session:
            await actions.keep_found(
                session, sha256=sha256, found=found, scan=word, now=clock.now()
            )
        done += 1
    return done
