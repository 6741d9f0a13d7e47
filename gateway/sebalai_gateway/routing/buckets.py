"""Rate and quota of an agreement, per worker: a token bucket, counters of the UTC day and month."""

from __future__ import annotations

import calendar
import time

DAY_SECONDS = 86_400
UNLIMITED = 2**62


class Bucket:
    """Kept when a new table replaces an old one, so that a change of routes forgives nothing."""

    __slots__ = (
        "_at", "_burst", "_day", "_left", "_month_ends", "_month_quota", "_month_used", "_quota",
        "_rate", "_used",
    )  # fmt: skip

    def __init__(
        self,
        rate_per_second: float,
        burst: int,
        quota_per_day: int,
        quota_per_month: int | None = None,
    ) -> None:
        self.adjust(rate_per_second, burst, quota_per_day, quota_per_month)
        self._left, self._at, self._day, self._used = float(burst), 0.0, 0, 0
        self._month_ends, self._month_used = 0.0, 0

    def adjust(
        self,
        rate_per_second: float,
        burst: int,
        quota_per_day: int,
        quota_per_month: int | None = None,
    ) -> None:
        self._rate, self._burst, self._quota = rate_per_second, burst, quota_per_day
        self._month_quota = UNLIMITED if quota_per_month is None else quota_per_month
        self._left = min(getattr(self, "_left", float(burst)), burst)

    def take(self, now: float) -> tuple[str, int] | None:
        """Takes one call; or answers which bound is reached and for how many seconds."""
        day = int(now // DAY_SECONDS)
        if day != self._day:
            self._day, self._used = day, 0
            if now >= self._month_ends:
                self._month_ends, self._month_used = _end_of_month(now), 0
        if self._used >= self._quota:
            return "quota-exceeded", int((day + 1) * DAY_SECONDS - now) + 1
        if self._month_used >= self._month_quota:
            return "quota-exceeded", int(self._month_ends - now) + 1
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return "rate-exceeded", self._wait_seconds()
        self._left -= 1
        self._used += 1
        self._month_used += 1
        return None

    def _wait_seconds(self) -> int:
        if self._rate <= 0:
            return DAY_SECONDS
        return min(DAY_SECONDS, int((1 - self._left) / self._rate) + 1)


def _end_of_month(now: float) -> float:
    """When the UTC month of `now` ends, in seconds of the epoch."""
    at = time.gmtime(now)
    days = calendar.monthrange(at.tm_year, at.tm_mon)[1]
    return (now // DAY_SECONDS - at.tm_mday + 1 + days) * DAY_SECONDS
