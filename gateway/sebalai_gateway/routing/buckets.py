"""The rate of an agreement, per worker: a token bucket. Quotas are counted by all gateways together
(`quotas.leases`).
"""

from __future__ import annotations

DAY_SECONDS = 86_400


class Bucket:
    """Kept when a new table replaces an old one, so that a change of routes forgives nothing."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate_per_second: float, burst: int) -> None:
        self._left, self._at = float(burst), 0.0
        self.adjust(rate_per_second, burst)

    def adjust(self, rate_per_second: float, burst: int) -> None:
        self._rate, self._burst = rate_per_second, burst
        self._left = min(self._left, burst)

    def take(self, now: float) -> int | None:
        """Takes one call at `now` seconds; or answers for how many seconds there is none."""
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return self._wait_seconds()
        self._left -= 1
        return None

    def _wait_seconds(self) -> int:
        if self._rate <= 0:
            return DAY_SECONDS
        return min(DAY_SECONDS, int((1 - self._left) / self._rate) + 1)
