"""When a failed delivery is tried again, and when an address is left in peace.

Pure. Each try fails for its event alone; the breaker opens for the address as a whole, so that an
address which is down costs one probe now and then and no event its tries.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sebalai_exchange.subscriptions.actions import Retries

JITTER = 0.2
RETRY_AFTER_MAX_SECONDS = 3_600.0
OPEN_AT_FAILURES = 5
PROBE_SECONDS = 30.0
PROBE_MAX_SECONDS = 600.0
REFUSALS_MAX = 3
# What a clock is put right by little by little is left alone.
LEAP_MIN = timedelta(seconds=1)


def retry_seconds(
    retries: Retries, attempts: int, random: float, retry_after: float | None = None
) -> float:
    """After `attempts` tries; `random` in [0, 1) spreads by ±20 %; never before `retry_after`."""
    base = retries.after(attempts)
    spread = base * (1 - JITTER + 2 * JITTER * random)
    return max(spread, min(retry_after or 0.0, RETRY_AFTER_MAX_SECONDS))


def due_by(retries: Retries, next_at: datetime, attempts: int, now: datetime) -> datetime:
    """`next_at`, unless the schedule would not have put it so far ahead: then it is another by now,
    or a clock was put back.
    """
    base = retries.after(attempts) * (1 + JITTER)
    return min(next_at, now + timedelta(seconds=max(base, RETRY_AFTER_MAX_SECONDS)))


class Leaps:
    """Tells by how much the clock was put back or ahead, held against one that nobody sets."""

    def __init__(self, now: datetime, steady: float) -> None:
        self._now, self._steady = now, steady

    def back(self, now: datetime, steady: float) -> timedelta:
        """Since the last look, negative when it was put ahead (or the host slept); zero for less
        than LEAP_MIN. `steady` in seconds.
        """
        by = timedelta(seconds=steady - self._steady) - (now - self._now)
        self._now, self._steady = now, steady
        return by if abs(by) >= LEAP_MIN else timedelta()


@dataclass(frozen=True, slots=True)
class Breaker:
    """`failures` in a row; open until `open_until`, then one probe; `open_since` for notices."""

    failures: int = 0
    open_until: datetime | None = None
    open_since: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.open_until is not None

    def allows_probe(self, now: datetime) -> bool:
        return self.open_until is not None and now >= self.open_until

    def is_hopeless(self, now: datetime, life: timedelta) -> bool:
        return self.open_since is not None and now - self.open_since >= life

    def within(self, now: datetime) -> "Breaker":
        """As loaded: a probe further ahead than any was put off by a clock that went back."""
        if self.open_until is None:
            return self
        latest = now + timedelta(seconds=PROBE_MAX_SECONDS)
        return replace(self, open_until=min(self.open_until, latest))

    def put_back(self, by: timedelta) -> "Breaker":
        """As the clock reads after it was put back `by`; put ahead, nothing is due any later."""
        if self.open_until is None or self.open_since is None:
            return self
        until = self.open_until - max(by, timedelta())
        return Breaker(self.failures, until, self.open_since - by)

    def succeeded(self) -> "Breaker":
        return Breaker()

    def failed(self, now: datetime) -> "Breaker":
        failures = self.failures + 1
        if failures < OPEN_AT_FAILURES:
            return Breaker(failures, self.open_until, self.open_since)
        doublings = min(failures - OPEN_AT_FAILURES, 10)
        pause = min(PROBE_SECONDS * 2**doublings, PROBE_MAX_SECONDS)
        return Breaker(failures, now + timedelta(seconds=pause), self.open_since or now)
