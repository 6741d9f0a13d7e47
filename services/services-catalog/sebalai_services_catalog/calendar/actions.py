"""Decisions about the calendar: read it, change a day or a week, load what the decrees say.

Whoever computed a date remembers the revision; a later one tells that the date must be redone.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import orjson
from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Forbidden, NotFound
from sebalai_shared.reference import ReferenceFolder
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.calendar import events, store
from sebalai_services_catalog.calendar.access import DECIDE, may_change
from sebalai_services_catalog.calendar.days import (
    FIVE_DAYS,
    ONE_DAY,
    WIB,
    Calendar,
    Kind,
    NoWorkingDay,
    civil_date,
    end_of,
)
from sebalai_services_catalog.calendar.model import PROVINCE, AgencyWeek, CalendarDay
from sebalai_services_catalog.calendar.schema import DayWrite, WeekWrite

__all__ = [
    "ONE_DAY",
    "PROVINCE",
    "WIB",
    "Calendar",
    "Calendars",
    "NoWorkingDay",
    "civil_date",
    "end_of",
]

LIST = "calendar_days"
TEXTS_CACHED = 4


class CalendarChangeRefused(Forbidden):
    slug, title = "calendar-change-refused", "This caller may not change that calendar"


class DayUnknown(NotFound):
    slug, title = "calendar-day-unknown", "The calendar says nothing of this day"


@dataclass(frozen=True, slots=True)
class Calendars:
    """Every agency's calendar at one revision; an agency without rows has the province's."""

    revision: int
    province: Calendar
    agencies: dict[str, Calendar]
    known_until: date | None

    def of(self, agency: str) -> Calendar:
        return self.agencies.get(agency, self.province)


async def calendars(session: AsyncSession) -> Calendars:
    """All calendars in one read, for dates of many agencies."""
    return _compiled(await store.everything(session))


@lru_cache(maxsize=TEXTS_CACHED)
def _compiled(document: str) -> Calendars:
    """Every request asks for dates, and the calendars seldom change."""
    found = orjson.loads(document)
    days = defaultdict[str, dict[date, Kind]](dict)
    for agency, day, kind in found["days"]:
        days[agency][date.fromisoformat(day)] = kind
    weeks = {agency: frozenset(weekdays) for agency, weekdays in found["weeks"]}
    province, week = days.get(PROVINCE, {}), weeks.get(PROVINCE, FIVE_DAYS)
    agencies = {
        agency: Calendar(province | days.get(agency, {}), weeks.get(agency, week))
        for agency in {*days, *weeks} - {PROVINCE}
    }
    known_until = max(province, default=None)
    return Calendars(found["revision"], Calendar(province, week), agencies, known_until)


async def list_days(
    session: AsyncSession, *, caller: Caller, agency: str, since: date, until: date
) -> Sequence[CalendarDay]:
    return await store.days(session, caller, agency, since, until)


async def week_of(session: AsyncSession, *, agency: str) -> AgencyWeek | None:
    return await store.week(session, agency)


async def change_day(
    session: AsyncSession, clock: Clock, *, caller: Caller, key: tuple[str, date], wanted: DayWrite
) -> int:
    """Sets one day of an agency (or of all, `*`); answers the new revision.

    Raises: CalendarChangeRefused.
    """
    agency, day = key
    _allow(caller, agency)
    await store.keep_day(
        session,
        {
            "agency": agency,
            "day": day,
            **wanted.model_dump(),
            "removed": False,
            "edited_by": caller.subject,
            "edited_at": clock.now(),
            "provenance_status": "partly",
            "provenance_source": f"entered by {caller.subject} on the basis named",
        },
    )
    return await _changed(session, clock, agency, day)


async def remove_day(
    session: AsyncSession, clock: Clock, *, caller: Caller, agency: str, day: date
) -> int:
    """The day is an ordinary one again. Raises: CalendarChangeRefused, DayUnknown."""
    _allow(caller, agency)
    row = await session.get(CalendarDay, (agency, day), with_for_update=True)
    if row is None or row.removed:
        raise DayUnknown("Look at GET /v1/calendar.")
    row.removed, row.edited_by, row.edited_at = True, caller.subject, clock.now()
    return await _changed(session, clock, agency, day)


async def change_week(
    session: AsyncSession, clock: Clock, *, caller: Caller, agency: str, wanted: WeekWrite
) -> int:
    """The weekdays an agency works on. Raises: CalendarChangeRefused."""
    _allow(caller, agency)
    await store.keep_week(
        session,
        {
            "agency": agency,
            "weekdays": sorted(wanted.weekdays),
            "basis": wanted.basis,
            "edited_by": caller.subject,
            "edited_at": clock.now(),
        },
    )
    return await _changed(session, clock, agency, None)


async def load_days(session: AsyncSession, clock: Clock, *, folder: ReferenceFolder) -> int:
    """Loads the joint decrees' days; rows that an officer edited stay. Answers rows read."""
    rows = folder.rows(LIST)
    values = [
        {
            "agency": PROVINCE,
            "day": date.fromisoformat(row["day"]),
            **{name: row[name] for name in ("kind", "name", "basis")},
            "removed": False,
            **_marks(folder, row["day"]),
        }
        for row in rows
    ]
    if await store.load(session, values):
        await _changed(session, clock, PROVINCE, None)
    return len(rows)


def _marks(folder: ReferenceFolder, key: str) -> dict[str, str]:
    mark = folder.provenance(LIST, key)
    return {"provenance_status": mark.status, "provenance_source": mark.source}


def _allow(caller: Caller, agency: str) -> None:
    if not may_change(caller, agency, PROVINCE):
        raise CalendarChangeRefused(
            f"Only the operator changes the province's calendar; an agency with scope {DECIDE} its "
            "own exceptions."
        )


async def _changed(session: AsyncSession, clock: Clock, agency: str, day: date | None) -> int:
    revision = await store.raise_revision(session)
    fact = events.CalendarChanged(agency=agency, day=day, revision=revision)
    await publish(session, events.changed(fact, clock.now()))
    return revision
