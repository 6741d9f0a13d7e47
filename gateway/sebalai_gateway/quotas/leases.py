"""Quotas of the day and month, one count for all gateways: each takes calls ahead in small leases.

A lease is taken from the count before it is used, so a quota is never exceeded, whatever gateways
do at once and whichever is killed; what a killed one held is lost to its consumer (at most
LEASE_SHARE of a day's quota). What lies unused is given back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec

from sebalai_gateway.database import Pool, StoreUnavailable

log = logging.getLogger(__name__)

LEASE_SHARE = 0.01
LEASE_CALLS_LIMIT = 500
IDLE_SECONDS = 30.0
ASK_AGAIN_SECONDS = 1.0
LEASES_LIMIT = 100_000
UNLIMITED = 2**62
DAY_SECONDS = 86_400

_BEGIN = """
INSERT INTO quota_use (series, consumer, period, used, ends_at)
VALUES ($1, $2, $3, 0, $5), ($1, $2, $4, 0, $6) ON CONFLICT DO NOTHING
"""
_TAKE = """
WITH found AS (
  SELECT period, used FROM quota_use
  WHERE series = $1 AND consumer = $2 AND period IN ($3, $4) ORDER BY period FOR UPDATE
), room AS (
  SELECT greatest(0, least($7::bigint, $5::bigint - max(used) FILTER (WHERE period = $3),
    $6::bigint - max(used) FILTER (WHERE period = $4))) AS calls FROM found
)
UPDATE quota_use AS held SET used = held.used + room.calls FROM room
WHERE held.series = $1 AND held.consumer = $2 AND held.period IN ($3, $4)
RETURNING held.period, held.used, room.calls
"""
_GIVE_BACK = """
UPDATE quota_use SET used = greatest(0, used - $5)
WHERE series = $1 AND consumer = $2 AND period IN ($3, $4)
"""


class Terms(msgspec.Struct, frozen=True):
    """Whose quota, and how much: `key` is the agreement's series and its consumer."""

    key: tuple[str, str]
    per_day: int
    per_month: int | None


class Left(NamedTuple):
    """Calls left, as far as this gateway knows; `month` is 0 where none is limited, and ends at
    `month_ends`, in seconds since 1970.
    """

    day: int
    month: int = 0
    month_ends: float = 0.0


class QuotaExceeded(Exception):
    """`seconds` until the period ends."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(slots=True)
class Lease:
    """Calls taken ahead in one day and month; `day_used` counts all gateways' as last heard; `ends`
    is when the day does, `month_ends` when the month does, in seconds since 1970. `per_month` as
    last agreed.
    """

    day: str = ""
    ends: float = 0.0
    month: str = ""
    month_ends: float = 0.0
    per_month: int | None = None
    left: int = 0
    day_used: int = 0
    month_used: int = 0
    asked_at: float = float("-inf")
    used_at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Quotas:
    def __init__(self, pool: Pool) -> None:
        self._run = pool.run
        self._leases: dict[tuple[str, str], Lease] = {}
        self._tidying: asyncio.Task[None] | None = None

    async def take(self, terms: Terms, now: datetime) -> Left:
        """Counts one call; answers how many are left.

        Raises: QuotaExceeded, StoreUnavailable.
        """
        lease = self._lease(terms.key)
        day = _day_of(now.date())
        if lease.day != day or lease.left < 1:
            async with lease.lock:
                if lease.day != day or lease.left < 1:
                    await self._renew(lease, terms, now)
        if lease.left < 1:
            raise QuotaExceeded(_seconds_left(lease, terms, now))
        return _use(lease, terms.per_day)

    def at_hand(self, key: tuple[str, str], per_day: int, now: float) -> Left | None:
        """As `take` of a moment in seconds since 1970, where the lease has calls left; else None,
        and nothing is counted.
        """
        lease = self._leases.get(key)
        if lease is None or lease.left < 1 or not lease.ends - DAY_SECONDS <= now < lease.ends:
            return None
        return _use(lease, per_day)

    def _lease(self, key: tuple[str, str]) -> Lease:
        found = self._leases.get(key)
        if found is None:
            if len(self._leases) >= LEASES_LIMIT:
                self._leases.pop(next(iter(self._leases)))
            found = self._leases[key] = Lease()
        if self._tidying is None:
            self._tidying = asyncio.create_task(self._tidy(), name="quotas")
        return found

    async def _renew(self, lease: Lease, terms: Terms, now: datetime) -> None:
        day, month = f"{now:%Y-%m-%d}", f"{now:%Y-%m}"
        # One who is over the quota and goes on asking must not make the database work for it.
        if lease.day == day and time.monotonic() - lease.asked_at < ASK_AGAIN_SECONDS:
            return
        wanted = max(1, min(LEASE_CALLS_LIMIT, int(terms.per_day * LEASE_SHARE)))
        per_month = UNLIMITED if terms.per_month is None else terms.per_month
        ends = _day_end(now), _month_end(now)
        await self._run("execute", _BEGIN, *terms.key, day, month, *ends)
        rows = await self._run(
            "fetch", _TAKE, *terms.key, day, month, terms.per_day, per_month, wanted
        )
        used = {row["period"]: row["used"] for row in rows}
        # Only now: what is left of yesterday is not to be had today, while the database is asked.
        lease.day, lease.month, lease.per_month = day, month, terms.per_month
        lease.ends, lease.month_ends = ends[0].timestamp(), ends[1].timestamp()
        lease.left = rows[0]["calls"] if rows else 0
        lease.day_used, lease.month_used = used.get(day, 0), used.get(month, 0)
        lease.asked_at = time.monotonic() if lease.left < 1 else float("-inf")

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(IDLE_SECONDS)
            idle = time.monotonic() - IDLE_SECONDS
            for key, lease in list(self._leases.items()):
                if lease.used_at < idle and not lease.lock.locked():
                    await self._give_back(key, lease)

    async def _give_back(self, key: tuple[str, str], lease: Lease) -> None:
        self._leases.pop(key, None)
        calls, lease.left = lease.left, 0
        if calls < 1:
            return
        with contextlib.suppress(StoreUnavailable):
            await self._run("execute", _GIVE_BACK, *key, lease.day, lease.month, calls)

    async def close(self) -> None:
        """Gives back what lies unused."""
        if self._tidying is not None:
            self._tidying.cancel()
            await asyncio.gather(self._tidying, return_exceptions=True)
        for key, lease in list(self._leases.items()):
            await self._give_back(key, lease)


def _use(lease: Lease, per_day: int) -> Left:
    lease.left -= 1
    lease.used_at = time.monotonic()
    day = max(0, per_day - lease.day_used) + lease.left
    if lease.per_month is None:
        return Left(day)
    return Left(day, max(0, lease.per_month - lease.month_used) + lease.left, lease.month_ends)


def _seconds_left(lease: Lease, terms: Terms, now: datetime) -> int:
    is_month = terms.per_month is not None and lease.month_used >= terms.per_month
    end = _month_end(now) if is_month else _day_end(now)
    return int((end - now).total_seconds()) + 1


@lru_cache(8)
def _day_of(day: date) -> str:
    return day.isoformat()


def _day_end(now: datetime) -> datetime:
    return datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)


def _month_end(now: datetime) -> datetime:
    following = datetime(now.year, now.month, 1, tzinfo=UTC) + timedelta(days=32)
    return following.replace(day=1)
