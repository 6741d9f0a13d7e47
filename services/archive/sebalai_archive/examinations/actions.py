"""Decisions about examinations: what to look into next, what was found."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content_store import Stored
from sebalai_archive.examinations import store
from sebalai_archive.examinations.model import Examination
from sebalai_archive.examining import Found, Scan
from sebalai_archive.reader import enter_as_worker
from sebalai_archive.seals import actions as seals

A_PASS = 50


async def next_contents(session: AsyncSession, *, now: datetime) -> Sequence[Stored]:
    await enter_as_worker(session, now)
    waiting = await store.unexamined(session, A_PASS)
    return [await seals.locate(session, sha256=sha256, size=size) for sha256, size in waiting]


async def keep_found(
    session: AsyncSession, *, sha256: str, found: Found, scan: Scan, now: datetime
) -> None:
    """Looking again at the same bytes replaces what was found before."""
    await session.merge(
        Examination(
            sha256=sha256,
            state=found.state,
            puid=found.puid,
            pages=found.pages,
            note=found.note,
            scan=scan,
            recognition="waiting" if found.is_scan else None,
            recognised_pages=None,
            body=found.body or None,
            at=now,
        )
    )
    await session.flush()


async def found_in(session: AsyncSession, *, sha256: str) -> Examination | None:
    return await store.find(session, sha256)


async def forget(session: AsyncSession, *, sha256: str) -> None:
    await store.forget(session, sha256)
