"""Working days, as pure functions of a calendar. Dates are civil dates in WIB.

Monday to Friday (or an office's own week) minus joint-decree holidays and cuti bersama, both set
yearly by joint ministerial decree; the day of filing is day 0. Knows no table and no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Literal

WIB = timezone(timedelta(hours=7), "WIB")
"""Waktu Indonesia Barat; no daylight saving, so a fixed offset is exact."""

ONE_DAY = timedelta(days=1)
FIVE_DAYS = frozenset({1, 2, 3, 4, 5})
WORKING_DAYS_MAX = 1_000
SPAN_DAYS_MAX = 4_000
"""No calendar may make us search further than this: a week without an open day never ends."""

Kind = Literal["libur_nasional", "cuti_bersama", "libur_instansi", "hari_kerja"]
CLOSING: frozenset[Kind] = frozenset({"libur_nasional", "cuti_bersama", "libur_instansi"})


class NoWorkingDay(ValueError):
    """The calendar has no working day within SPAN_DAYS_MAX."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """`week` holds ISO weekdays (Monday 1); `days` what differs, `hari_kerja` opening a day."""

    days: Mapping[date, Kind] = field(default_factory=dict[date, Kind])
    week: frozenset[int] = FIVE_DAYS

    def is_working(self, day: date) -> bool:
        kind = self.days.get(day)
        if kind is None:
            return day.isoweekday() in self.week
        return kind not in CLOSING

    def add(self, start: date, days: int) -> date:
        """The `days`-th working day after `start`; 0 is `start`, or the next working day.

        Raises: NoWorkingDay; ValueError outside 0 to WORKING_DAYS_MAX.
        """
        if not 0 <= days <= WORKING_DAYS_MAX:
            raise ValueError(f"0 to {WORKING_DAYS_MAX} working days, not {days}")
        day = start - ONE_DAY if days == 0 else start
        wanted = max(days, 1)
        for _ in range(SPAN_DAYS_MAX):
            day += ONE_DAY
            wanted -= self.is_working(day)
            if wanted == 0:
                return day
        raise NoWorkingDay(f"no {days} working days within {SPAN_DAYS_MAX} days of {start}")

    def between(self, start: date, end: date) -> int:
        """Working days after `start` up to and including `end`; 0 when `end` is not later."""
        span = min((end - start).days, SPAN_DAYS_MAX)
        return sum(self.is_working(start + ONE_DAY * step) for step in range(1, span + 1))

    def skipped(self, start: date, end: date) -> list[date]:
        """The days between that did not count, in order: they explain a due date."""
        span = min((end - start).days, SPAN_DAYS_MAX)
        days = (start + ONE_DAY * step for step in range(1, span + 1))
        return [day for day in days if not self.is_working(day)]


def civil_date(at: datetime) -> date:
    """The date in WIB of an aware time."""
    return at.astimezone(WIB).date()


def end_of(day: date) -> datetime:
    """The first instant that is too late for a deadline on `day`: midnight WIB after it."""
    return datetime.combine(day + ONE_DAY, time(), WIB).astimezone(UTC)
