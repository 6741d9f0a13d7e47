"""Timed work of preservation: each declared record is compared with its OCFL object, and what has
changed since becomes the object's next version.
"""

import asyncio
import logging
from uuid import UUID

from sebalai_shared.clock import Clock, to_text
from sebalai_shared.database import Database

from sebalai_archive.content.objects import Preservation, bring_from
from sebalai_archive.content.ocfl import Version
from sebalai_archive.content_store import ContentStore, Stored
from sebalai_archive.preservation import actions
from sebalai_archive.preservation.actions import Preserved

log = logging.getLogger(__name__)

FIRST, LATER = "declared", "metadata or files changed"


class Preserver:
    """`at` None: nothing is written."""

    def __init__(
        self, database: Database, store: ContentStore, at: Preservation | None, clock: Clock
    ) -> None:
        self._database, self._store, self._at, self._clock = database, store, at, clock

    async def preserve(self) -> int:
        """One pass; answers how many versions were written."""
        if self._at is None:
            return 0
        async with self._database.transaction() as session:
            waiting = await actions.next_records(session, now=self._clock.now())
        written = 0
        for record_id in waiting:
            written += await self._look(self._at, record_id)
        return written

    async def _look(self, at: Preservation, record_id: UUID) -> bool:
        now = self._clock.now()
        async with self._database.transaction() as session:
            wanted = await actions.as_it_should_be(session, record_id=record_id, now=now)
            document = await actions.locate_document(
                session, wanted=wanted, size=len(wanted.document)
            )
        is_new = not await self._is_there(at, wanted, document)
        if is_new:
            try:
                document = await self._write(at, wanted)
            except OSError as error:
                log.error("a record cannot be preserved now: %s", type(error).__name__)  # noqa: TRY400
                is_new = False
        for content in (document, *wanted.contents.values()):
            await asyncio.to_thread(at.seals.keep, content)
        async with self._database.transaction() as session:
            await actions.note_looked(session, record_id=record_id, now=now)
        return is_new

    async def _is_there(self, at: Preservation, wanted: Preserved, document: Stored) -> bool:
        if wanted.last is None or wanted.last.document_sha256 != wanted.document_sha256:
            return False
        there = await asyncio.to_thread(at.root.current, wanted.object_id)
        return there == wanted.files(document)

    async def _write(self, at: Preservation, wanted: Preserved) -> Stored:
        """First what opens the document is kept, then the version, then that it was written."""
        now = self._clock.now()
        made = await self._store.put_whole(wanted.document, wanted.security_class)
        async with self._database.transaction() as session:
            document = await actions.keep_document(session, wanted=wanted, document=made, now=now)
        message = LATER if wanted.last else FIRST
        version = Version(wanted.files(document), to_text(now), message)
        bring = bring_from(self._store.place)
        number = await asyncio.to_thread(at.root.add, wanted.object_id, version, bring)
        async with self._database.transaction() as session:
            await actions.keep_version(session, wanted=wanted, version=number, now=now)
        return document
