"""When a file's active and inactive time ends, as a pure function of its trigger and its rule.

Source: Peraturan ANRI on JRA; the clamp of 29 February to the 28th is ours. The trigger is an act
on the file (closed, contract ended, budget year over); without its date the clock does not run.
Later, legal holds and exceptions stop a fate; the dates stay what they are.
"""

from calendar import isleap
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Literal

Fate = Literal["musnah", "permanen", "dinilai_kembali"]
Stage = Literal["active", "inactive", "due"]

# Western Indonesia Time has no daylight saving; a civil date begins at midnight there.
WIB = timezone(timedelta(hours=7), "WIB")
YEARS_MAX = 200


@dataclass(frozen=True, slots=True)
class Rule:
    """Years in use, years kept after that, and what then happens."""

    active_years: int
    inactive_years: int
    final_disposition: Fate


@dataclass(frozen=True, slots=True)
class DueDates:
    """The first days on which a stage is over; both None while the clock is not running."""

    active_until: date | None
    inactive_until: date | None

    @property
    def is_running(self) -> bool:
        return self.active_until is not None


NOT_RUNNING = DueDates(None, None)


def due_dates(trigger: date | None, rule: Rule | None) -> DueDates:
    """Each date is computed from the trigger in one step, so that a 29 February clamps once."""
    if trigger is None or rule is None:
        return NOT_RUNNING
    return DueDates(
        years_after(trigger, rule.active_years),
        years_after(trigger, rule.active_years + rule.inactive_years),
    )


def years_after(day: date, years: int) -> date:
    """Raises `ValueError` beyond the calendar's last year."""
    year = day.year + years
    if (day.month, day.day) == (2, 29) and not isleap(year):
        return date(year, 2, 28)
    return day.replace(year=year)


def stage(dates: DueDates, today: date) -> Stage:
    if dates.active_until is None or dates.inactive_until is None or today < dates.active_until:
        return "active"
    return "inactive" if today < dates.inactive_until else "due"


def civil_date(at: datetime) -> date:
    """The date on the wall in the province at that moment."""
    return at.astimezone(UTC).astimezone(WIB).date()
