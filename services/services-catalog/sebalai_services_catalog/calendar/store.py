"""SQL of the calendar; it is public."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sebalai_shared.caller import Caller
from sqlalchemy import Row, Select, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.calendar.model import (
    PROVINCE,
    AgencyWeek,
    CalendarDay,
    CalendarRevision,
)

DAYS_MAX = 5_000
EVERYTHING = text(
    """
    SELECT (SELECT max(revision) FROM calendar_revision) AS revision, day.*, week.*
    FROM
      (SELECT array_agg(agency) AS agencies, array_agg(day) AS days, array_agg(kind) AS kinds
        FROM calendar_day WHERE NOT removed) AS day,
      (SELECT array_agg(agency) AS offices, array_agg(weekday) AS weekdays
        FROM agency_week, unnest(weekdays) AS weekday) AS week
    """
)


def visible_to(caller: Caller) -> Select[CalendarDay]:  # noqa: ARG001 - public
    return select(CalendarDay).where(~CalendarDay.removed)


async def days(
    session: AsyncSession, caller: Caller, agency: str, since: date, until: date
) -> Sequence[CalendarDay]:
    """The province's rows and then the agency's own, which win, each by day."""
    query = (
        visible_to(caller)
        .where(CalendarDay.agency.in_({PROVINCE, agency}), CalendarDay.day.between(since, until))
        .order_by(CalendarDay.agency != PROVINCE, CalendarDay.day)
        .limit(DAYS_MAX)
    )
    return (await session.scalars(query)).all()


async def everything(session: AsyncSession) -> Row[Any]:
    """All there is in one row, of one moment: agencies, days and kinds stand side by side, and so
    do offices and their weekdays. Each request asks this, so no object is made of a row.
    """
    return (await session.execute(EVERYTHING)).one()


async def week(session: AsyncSession, agency: str) -> AgencyWeek | None:
    return await session.get(AgencyWeek, agency)


async def load(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> int:
    """Takes rows that no officer has edited and that differ; answers how many."""
    query = insert(CalendarDay)
    names = ("kind", "name", "basis", "provenance_status", "provenance_source")
    changed = or_(
        *(getattr(CalendarDay, name).is_distinct_from(query.excluded[name]) for name in names)
    )
    taken = await session.scalars(
        query.values(list(rows))
        .on_conflict_do_update(
            index_elements=["agency", "day"],
            set_={name: query.excluded[name] for name in names},
            where=CalendarDay.edited_by.is_(None) & changed,
        )
        .returning(CalendarDay.day)
    )
    return len(taken.all())


async def keep_day(session: AsyncSession, values: dict[str, Any]) -> None:
    query = insert(CalendarDay).values(values)
    keys = ("agency", "day")
    changed = {name: query.excluded[name] for name in values if name not in keys}
    await session.execute(query.on_conflict_do_update(index_elements=keys, set_=changed))


async def keep_week(session: AsyncSession, values: dict[str, Any]) -> None:
    query = insert(AgencyWeek).values(values)
    changed = {name: query.excluded[name] for name in values if name != "agency"}
    await session.execute(query.on_conflict_do_update(index_elements=["agency"], set_=changed))


async def raise_revision(session: AsyncSession) -> int:
    query = (
        update(CalendarRevision)
        .values(revision=CalendarRevision.revision + 1)
        .returning(CalendarRevision.revision)
    )
    return (await session.scalars(query)).one()
