"""HTTP of the calendar: `/v1/calendar`, read by everybody."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_services_catalog.calendar import actions
from sebalai_services_catalog.calendar.actions import CalendarChangeRefused, DayUnknown
from sebalai_services_catalog.calendar.days import (
    FIVE_DAYS,
    WORKING_DAYS_MAX,
    NoWorkingDay,
    end_of,
)
from sebalai_services_catalog.calendar.model import PROVINCE, CalendarDay
from sebalai_services_catalog.calendar.schema import (
    CalendarRead,
    DayRead,
    DayWrite,
    DueRead,
    WeekWrite,
)
from sebalai_services_catalog.conditional import Conditional
from sebalai_services_catalog.now import Now
from sebalai_services_catalog.provenance import ProvenanceRead

router = APIRouter(prefix="/v1/calendar", tags=["calendar"], route_class=Conditional)

YEAR_MIN, YEAR_MAX = 2000, 2100
AGENCY = r"^(\*|[a-z0-9-]{1,40})$"

Agency = Annotated[str, Query(pattern=AGENCY, description="an agency's slug; `*` is the province")]


async def _day_of(day: Annotated[date, Path()]) -> date:
    """Raises: FieldInvalid."""
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise FieldInvalid("/day", f"Years {YEAR_MIN} to {YEAR_MAX} are kept.")
    return day


Day = Annotated[date, Depends(_day_of)]


class Revised(BaseModel):
    """Dates computed at an earlier revision are computed again."""

    revision: int


def _day(row: CalendarDay) -> DayRead:
    return DayRead(
        agency=row.agency,
        day=row.day,
        kind=row.kind,
        name=row.name,
        basis=row.basis,
        edited_by=row.edited_by,
        edited_at=row.edited_at,
        provenance=ProvenanceRead.of(row),
    )


@router.get("")
async def read_calendar(
    caller: PublicAccess,
    session: Transaction,
    year: Annotated[int, Query(ge=YEAR_MIN, le=YEAR_MAX)],
    agency: Agency = PROVINCE,
) -> CalendarRead:
    """The days of a year that differ from the week; an agency's own row wins."""
    rows = await actions.list_days(
        session, caller=caller, agency=agency, since=date(year, 1, 1), until=date(year, 12, 31)
    )
    days = {row.day: _day(row) for row in rows}
    known = await actions.calendars(session)
    week = await actions.week_of(session, agency=agency)
    return CalendarRead(
        agency=agency,
        revision=known.revision,
        weekdays=sorted(week.weekdays if week else FIVE_DAYS),
        known_until=known.known_until,
        days=[days[day] for day in sorted(days)],
    )


@router.get("/due", responses=responses(FieldInvalid))
async def read_due(
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
    start: Annotated[date, Query(description="day 0, a civil date in WIB")],
    working_days: Annotated[int, Query(ge=0, le=WORKING_DAYS_MAX)],
    agency: Agency = PROVINCE,
) -> DueRead:
    """When a term of working days ends, and which days were skipped on the way."""
    if not YEAR_MIN <= start.year <= YEAR_MAX:
        raise FieldInvalid("/start", f"Years {YEAR_MIN} to {YEAR_MAX} are answered.")
    known = await actions.calendars(session)
    calendar = known.of(agency)
    try:
        due = calendar.add(start, working_days)
    except NoWorkingDay as error:
        raise FieldInvalid("/working_days", str(error)) from error
    return DueRead(
        start=start,
        working_days=working_days,
        due=due,
        too_late_from=end_of(due),
        skipped=calendar.skipped(start, due),
        provisional=known.known_until is None or due > known.known_until,
    )


@router.put("/days/{day}", responses=responses(CalendarChangeRefused))
async def change_day(
    day: Day,
    wanted: DayWrite,
    caller: IdentifiedAccess,
    session: Transaction,
    clock: Now,
    agency: Agency = PROVINCE,
) -> Revised:
    revision = await actions.change_day(
        session, clock, caller=caller, key=(agency, day), wanted=wanted
    )
    return Revised(revision=revision)


@router.delete("/days/{day}", responses=responses(CalendarChangeRefused, DayUnknown))
async def remove_day(
    day: Day, caller: IdentifiedAccess, session: Transaction, clock: Now, agency: Agency = PROVINCE
) -> Revised:
    revision = await actions.remove_day(session, clock, caller=caller, agency=agency, day=day)
    return Revised(revision=revision)


@router.put("/week", responses=responses(CalendarChangeRefused))
async def change_week(
    wanted: WeekWrite,
    caller: IdentifiedAccess,
    session: Transaction,
    clock: Now,
    agency: Agency = PROVINCE,
) -> Revised:
    """The weekdays an office works on; six-day offices say so here."""
    revision = await actions.change_week(
        session, clock, caller=caller, agency=agency, wanted=wanted
    )
    return Revised(revision=revision)
