"""The promised time of one request as a pure value: when it ran, stood still, and ends.

The clock keeps the stretches it ran, not a count: when the calendar changes, the same stretches
give the new due date. It stands still only while the applicant holds the file.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sebalai_services_catalog.calendar.actions import Calendar, civil_date, end_of

Unit = Literal["minutes", "hours", "days", "working_days"]
Mode = Literal["off", "running", "paused", "stopped"]
SECONDS = {"minutes": 60, "hours": 3_600, "days": 86_400}
STRETCHES_MAX = 200

Stretch = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Promise:
    """`value` and `unit` are the standard's; `since` is set exactly while the clock runs."""

    value: int
    unit: Unit
    mode: Mode = "off"
    since: datetime | None = None
    ran: tuple[Stretch, ...] = ()

    def run(self, at: datetime) -> "Promise":
        """Starts or goes on; a running clock runs on as it was."""
        if self.mode == "running":
            return self
        return replace(self, mode="running", since=at)

    def pause(self, at: datetime) -> "Promise":
        return self._halt(at, "paused")

    def stop(self, at: datetime) -> "Promise":
        return self._halt(at, "stopped")

    def restart(self, at: datetime) -> "Promise":
        """The whole term anew, from `at`: an appeal that succeeded begins the work again."""
        return Promise(self.value, self.unit, "running", at)

    def _halt(self, at: datetime, mode: Mode) -> "Promise":
        if self.since is None:
            # A clock that never ran has nothing to pause: it waits on.
            return self if mode == "paused" and self.mode == "off" else replace(self, mode=mode)
        # A clock of the machine that jumps back may not give time back.
        stretch = (self.since, max(at, self.since))
        return replace(self, mode=mode, since=None, ran=(*self.ran, stretch))

    def used(self, at: datetime, calendar: Calendar) -> int:
        """Working days, or seconds for the other units, that ran until `at`."""
        return sum(self._length(stretch, calendar) for stretch in self._stretches(at))

    def due_at(self, calendar: Calendar) -> datetime | None:
        """The first instant that is too late; null while the clock is off, or paused in time.

        A term that ran out in an earlier stretch stays due when it did.
        """
        used = 0
        for start, end in self.ran:
            length = self._length((start, end), calendar)
            if used + length > self._whole:
                return self._after(start, self._whole - used, calendar)
            used += length
        if self.since is None:
            return None
        return self._after(self.since, self._whole - used, calendar)

    def share(self, at: datetime, calendar: Calendar) -> float:
        """Used part of the term, for amber at AMBER_SHARE; above 1 when late."""
        return self.used(at, calendar) / self._whole

    def moments(self) -> tuple[object, ...]:
        """What `due_at` depends on beside term and calendar: for working days only the dates."""
        ends = [moment for stretch in self.ran for moment in stretch]
        if self.since is not None:
            ends.append(self.since)
        if self.unit == "working_days":
            return tuple(civil_date(moment) for moment in ends)
        return tuple(ends)

    @property
    def _whole(self) -> int:
        return self.value if self.unit == "working_days" else self.value * SECONDS[self.unit]

    def _stretches(self, at: datetime) -> Iterator[Stretch]:
        yield from self.ran
        if self.since is not None:
            yield self.since, max(at, self.since)

    def _length(self, stretch: Stretch, calendar: Calendar) -> int:
        start, end = stretch
        if self.unit == "working_days":
            return calendar.between(civil_date(start), civil_date(end))
        return int((end - start).total_seconds())

    def _after(self, start: datetime, rest: int, calendar: Calendar) -> datetime:
        if self.unit == "working_days":
            return end_of(calendar.add(civil_date(start), rest))
        return start + timedelta(seconds=rest)
