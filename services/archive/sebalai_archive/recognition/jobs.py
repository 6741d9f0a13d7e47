"""Timed work of recognition: one scan after another, each in a child."""

import logging

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sebalai_shared.process import every

from sebalai_archive.content.frames import SealBroken
from sebalai_archive.content.keys import KeyUnknown
from sebalai_archive.content_store import ContentStore, OverLimit
from sebalai_archive.recognition import actions
from sebalai_archive.recognition.engine import Engine, Read, Tesseract
from sebalai_archive.settings import ArchiveSettings

log = logging.getLogger(__name__)

RECOGNISE_SECONDS = 10.0
A_PASS = 20


async def recognise_for_ever(
    database: Database, store: ContentStore, clock: Clock, settings: ArchiveSettings
) -> None:
    """Where there is an engine; else scans wait and say so."""
    if settings.ocr_program is None:
        return
    engine = Tesseract(settings.ocr_program, settings.ocr_languages)
    await every(RECOGNISE_SECONDS, lambda: recognise_scans(database, store, clock, engine))


async def recognise_scans(
    database: Database, store: ContentStore, clock: Clock, engine: Engine
) -> int:
    """Up to a pass of scans that wait; answers how many were read. A killed worker reads the one it
    was at again.
    """
    for done in range(A_PASS):
        async with database.transaction() as session:
            scan = await actions.next_scan(session, now=clock.now())
        if scan is None:
            return done
        try:
            async with store.lent(scan) as path:
                read = await engine.read(path)
        except OverLimit:
            read = Read("over_limit")
        except (OSError, KeyUnknown, SealBroken) as error:
            # Whether the bytes are sound is the scrubber's to say.
            log.error("scan cannot be read: %s", type(error).__name__)  # noqa: TRY400
            read = Read("failed")
        async with database.transaction() as session:
            await actions.keep_read(session, sha256=scan.sha256, read=read, now=clock.now())
    return A_PASS
