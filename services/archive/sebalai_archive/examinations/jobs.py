"""Timed work of examinations: one content after another, never in a request."""

import logging
from pathlib import Path

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_archive import examining
from sebalai_archive.content.frames import SealBroken
from sebalai_archive.content.keys import KeyUnknown
from sebalai_archive.content_store import ContentStore, OverLimit, Stored
from sebalai_archive.examinations import actions
from sebalai_archive.examining import Found, Scan

log = logging.getLogger(__name__)


async def examine_contents(
    database: Database, store: ContentStore, clock: Clock, clamd: Path | None
) -> int:
    """Looks into up to a pass of new contents; answers how many. While clamd is away it waits."""
    async with database.transaction() as session:
        waiting = await actions.next_contents(session, now=clock.now())
    done = 0
    for content in waiting:
        try:
            scan, found = await _look(store, content, clamd)
        except examining.ScanUnavailable as error:
            log.warning("the virus scanner does not answer: %s", error)
            return done
        except (OSError, KeyUnknown, SealBroken) as error:
            # Whether the bytes are sound is the scrubber's to say.
            log.error("content cannot be read to be examined: %s", type(error).__name__)  # noqa: TRY400
            scan, found = "not_scanned", Found("broken", note="the content cannot be read")
        async with database.transaction() as session:
            await actions.keep_found(
                session, sha256=content.sha256, found=found, scan=scan, now=clock.now()
            )
        done += 1
    return done


async def _look(store: ContentStore, content: Stored, clamd: Path | None) -> tuple[Scan, Found]:
    """Raises: ScanUnavailable, and as `ContentStore.stream`."""
    word, virus = await examining.scan(store.stream(content, 0, content.size), clamd)
    if word == "infected":
        return word, Found("infected", note=virus)
    try:
        async with store.lent(content) as path:
            return word, await examining.examine(path)
    except OverLimit:
        return word, Found("over_limit", note="too large to be looked into while it is sealed")
