"""Timed work of seals: what lies plain although its class has a key is sealed, data keys come under
the current key of their class, and bytes that nothing names are swept.
"""

import logging
from collections.abc import Sequence

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_archive.content_store import ContentStore
from sebalai_archive.seals import actions

log = logging.getLogger(__name__)


async def seal_plain(database: Database, store: ContentStore, clock: Clock) -> int:
    """Answers how many. The plain bytes are swept once they are old, if nothing public has them."""
    async with database.transaction() as session:
        waiting = await actions.still_plain(session, store.keys, now=clock.now())
    done = 0
    for content, security_class in waiting:
        try:
            sealed = await store.reseal(content, security_class)
        except OSError as error:
            log.error("content that should be sealed cannot be read: %s", type(error).__name__)  # noqa: TRY400
            continue
        async with database.transaction() as session:
            await actions.keep(session, sealed, now=clock.now())
        done += 1
    return done


async def wrap_anew(database: Database, store: ContentStore) -> int:
    async with database.transaction() as session:
        done = await actions.wrap_anew(session, store.keys)
    if done:
        log.info("wrapped %d data keys anew", done)
    return done


async def sweep_content(database: Database, store: ContentStore, clock: Clock) -> int:
    async def named(stored: Sequence[str]) -> set[str]:
        async with database.transaction() as session:
            return await actions.named(session, stored=stored, now=clock.now())

    async with database.transaction() as session:
        await actions.forget_unnamed(session, now=clock.now())
    removed = await store.sweep(named)
    if removed:
        log.info("swept %d files that nothing names", removed)
    return removed
