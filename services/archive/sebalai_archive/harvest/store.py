"""SQL of the harvest. Time is the database's own clock, the one that all processes share.

A publication holds HARVEST_LOCK alone, a reading holds it with other readings: so whatever becomes
visible after an answer bears no earlier second than the answer's own date, and a harvester that
asks `from` that date on misses nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.harvest.model import HarvestItem

HARVEST_LOCK = 7_250_014


@dataclass(frozen=True, slots=True)
class Window:
    """Items after `seq`, stamped from `since` to `until` (both included), of one set or all."""

    seq: int = 0
    since: datetime | None = None
    until: datetime | None = None
    agency: str | None = None
    section: str | None = None


async def begin_reading(session: AsyncSession) -> datetime:
    """Keeps publications out until this transaction ends; answers the time after that."""
    await session.execute(select(func.pg_advisory_xact_lock_shared(HARVEST_LOCK)))
    return await _now(session)


async def _now(session: AsyncSession) -> datetime:
    found = await session.execute(text("SELECT date_trunc('second', clock_timestamp())"))
    return found.scalar_one()


async def publish(session: AsyncSession, limit: int) -> int:
    """Shows up to `limit` waiting changes; answers how many waited. No stamp is before another's
    that was shown earlier, should the clock be set back.
    """
    await session.execute(select(func.pg_advisory_xact_lock(HARVEST_LOCK)))
    last = await session.scalar(select(HarvestItem.at).order_by(HarvestItem.at.desc()).limit(1))
    at = await _now(session)
    found = await session.execute(
        text("""
            WITH taken AS (
              DELETE FROM harvest_change WHERE id IN (
                SELECT id FROM harvest_change ORDER BY id LIMIT :limit)
              RETURNING record_id, id
            ), shown AS (
              INSERT INTO harvest_item (record_id, seq, at, agency, section, is_deleted)
              SELECT r.id, nextval('harvest_seq'), :at, r.agency,
                     split_part(r.classification_code, '.', 1),
                     EXISTS (SELECT 1 FROM tombstone t WHERE t.record_id = r.id)
              FROM (SELECT record_id, max(id) AS id FROM taken GROUP BY record_id ORDER BY 2) c
              JOIN record r ON r.id = c.record_id
              ON CONFLICT (record_id) DO UPDATE
              SET seq = excluded.seq, at = excluded.at, is_deleted = excluded.is_deleted
            ) SELECT count(*) FROM taken
        """),
        {"limit": limit, "at": max(at, last) if last else at},
    )
    return int(found.scalar_one())


async def page(
    session: AsyncSession, known: ColumnElement[bool], record: Any, window: Window, limit: int
) -> Sequence[Any]:
    """Up to `limit + 1` items with their records, as changes became visible."""
    query = (
        select(HarvestItem, record)
        .join(record, record.id == HarvestItem.record_id)
        .where(known, HarvestItem.seq > window.seq)
        .order_by(HarvestItem.seq)
        .limit(limit + 1)
    )
    if window.since is not None:
        # The stamps rise with seq: the first one in time is where the walk begins.
        first = select(HarvestItem.seq).where(HarvestItem.at >= window.since)
        first = first.order_by(HarvestItem.at, HarvestItem.seq).limit(1).scalar_subquery()
        query = query.where(HarvestItem.seq >= first)
    if window.until is not None:
        query = query.where(HarvestItem.at <= window.until)
    if window.agency is not None:
        query = query.where(HarvestItem.agency == window.agency)
    if window.section is not None:
        query = query.where(HarvestItem.section == window.section)
    return (await session.execute(query)).all()


async def find(
    session: AsyncSession, known: ColumnElement[bool], record: Any, record_id: UUID
) -> Any:
    query = select(HarvestItem, record).join(record, record.id == HarvestItem.record_id)
    return (await session.execute(query.where(known, record.id == record_id))).one_or_none()


async def earliest(session: AsyncSession) -> datetime | None:
    return await session.scalar(select(HarvestItem.at).order_by(HarvestItem.at).limit(1))


async def agencies(session: AsyncSession) -> Sequence[str]:
    """By loose index scan: a few agencies among millions of items."""
    found = await session.scalars(
        text("""
            WITH RECURSIVE one AS (
              (SELECT agency FROM harvest_item ORDER BY agency LIMIT 1)
              UNION ALL
              SELECT (SELECT agency FROM harvest_item i WHERE i.agency > one.agency
                      ORDER BY agency LIMIT 1) FROM one WHERE one.agency IS NOT NULL
            ) SELECT agency FROM one WHERE agency IS NOT NULL
        """)
    )
    return found.all()
