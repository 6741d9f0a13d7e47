"""Rate and quota of an agreement: a token bucket and a counter of the UTC day, per worker."""

from __future__ import annotations

DAY_SECONDS = 86_400


class Bucket:
    """Kept when a new table replaces an old one, so that a change of routes forgives nothing."""

    __slots__ = ("_at", "_burst", "_day", "_left", "_quota", "_rate", "_used")

    def __init__(self, rate_per_second: float, burst: int, quota_per_day: int) -> None:
        self._rate, self._burst, self._quota = rate_per_second, burst, quota_per_day
        self._left, self._at, self._day, self._used = float(burst), 0.0, 0, 0

    def adjust(self, rate_per_second: float, burst: int, quota_per_day: int) -> None:
        self._rate, self._burst, self._quota = rate_per_second, burst, quota_per_day
        self._left = min(self._left, burst)

    def take(self, now: float) -> tuple[str, int] | None:
        """Takes one call; or answers which bound is reached and for how many seconds."""
        day = int(now // DAY_SECONDS)
        if day != self._day:
            self._day, self._used = day, 0
        if self._used >= self._quota:
            return "quota-exceeded", int((day + 1) * DAY_SECONDS - now) + 1
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return "rate-exceeded", self._wait_seconds()
        self._left -= 1
        self._used += 1
        return None

    def _wait_seconds(self) -> int:
        if self._rate <= 0:
            return DAY_SECONDS
        return min(DAY_SECONDS, int((1 - self._left) / self._rate) + 1)
