"""Forgetting: a month of events whose time is over goes as one partition, and leaves a fact with
how many there were, which becomes a leaf of the log `records`. Both are one transaction.
"""

from dataclasses import dataclass
from datetime import datetime

from sebalai_shared.clock import Clock
from sebalai_shared.outbox import publish
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.publishing import partitions
from sebalai_exchange.publishing.facts import Forgotten, fact

_MONTHS = text(
    "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = CAST(:parent AS text)::regclass ORDER BY 1"
)


@dataclass(frozen=True)
class Month:
    """A partition of the event store: what is kept so many days, and was stored in one month."""

    name: str
    kept_days: int
    span: tuple[datetime, datetime]


async def forget_month(session: AsyncSession, clock: Clock) -> str | None:
    """The oldest month that is over goes; answers its name, None when there is none."""
    for month in await _over(session, clock.now()):
        # No more is written to it, and readers are let by until it goes.
        await session.execute(text(f'LOCK TABLE "{month.name}" IN SHARE MODE'))
        counted = await session.execute(
            text(f'SELECT count(*), min(pos), max(pos) FROM "{month.name}"')  # noqa: S608
        )
        events, first, last = counted.one()
        await session.execute(text(f'DROP TABLE "{month.name}"'))
        if events:
            told = Forgotten(month.kept_days, month.span, events, (first, last))
            await publish(session, fact(told, clock))
        return month.name
    return None


async def _over(session: AsyncSession, now: datetime) -> list[Month]:
    found: list[Month] = []
    for days in partitions.RETENTION_CLASSES:
        parent = f"event_{days}"
        names = (await session.scalars(_MONTHS, {"parent": parent})).all()
        found += [
            Month(name, days, partitions.span_of(name))
            for name in names
            if partitions.is_over(parent, name, now)
        ]
    return sorted(found, key=lambda month: month.span)
