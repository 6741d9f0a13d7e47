"""SQL of the calendar; it is public."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sebalai_shared.caller import Caller
from sebalai_shared.statements import fetch_one
from sqlalchemy import Select, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.calendar.model import (
    PROVINCE,
    AgencyWeek,
    CalendarDay,
    CalendarRevision,
)

DAYS_MAX = 5_000
_EVERYTHING = """
    SELECT json_build_object(
      'revision', (SELECT max(revision) FROM calendar_revision),
      'days', (SELECT coalesce(json_agg(json_build_array(agency, day, kind)), '[]')
        FROM calendar_day WHERE NOT removed),
      'weeks', (SELECT coalesce(json_agg(json_build_array(agency, weekdays)), '[]')
        FROM agency_week)
    )::text AS document
    """


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


async def everything(session: AsyncSession) -> str:
    """All there is as one JSON text, of one moment: `revision`, `days` of [agency, day, kind],
    `weeks` of [agency, weekdays].
    """
    row = await fetch_one(session, _EVERYTHING)
    assert row is not None  # noqa: S101 - one row, whatever there is
    return row.document


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
