"""Decisions about recognition: which scan is next, what its text does."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content_store import Stored
from sebalai_archive.reader import enter_as_worker
from sebalai_archive.recognition import store
from sebalai_archive.recognition.engine import Read
from sebalai_archive.seals import actions as seals
from sebalai_archive.search import actions as search


async def next_scan(session: AsyncSession, *, now: datetime) -> Stored | None:
    await enter_as_worker(session, now)
    waiting = await store.next_waiting(session)
    if waiting is None:
        return None
    sha256, size = waiting
    return await seals.locate(session, sha256=sha256, size=size)


async def keep_read(session: AsyncSession, *, sha256: str, read: Read, now: datetime) -> None:
    """Its records are indexed anew with the text, behind the walls each of them has."""
    await enter_as_worker(session, now)
    values = {"outcome": read.outcome, "pages": read.pages, "body": read.body or None}
    await store.keep(session, sha256, values)
    if read.body:
        await search.forget_content(session, sha256=sha256)
