"""Slows guessing down without locking anybody out.

Each attempt is counted before it is checked, so parallel guesses count like serial ones; success
forgets the count, and of a network's takes its own attempt back: a whole office signs in at eight.
A browser the person has used before is counted by itself, apart from everybody else's guesses at
the same name; a passkey needs no guess and is never slowed. What an attacker can do to an official
is thus: make unknown browsers wait up to DELAY_MAX between tries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

DELAY_MAX = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=1)
FREE_PLACE = 5
FREE_NAME = 20
FREE_NETWORK = 100
SWEEP_ROWS = 50_000

_LOOK = text(
    "SELECT max(blocked_until) FROM attempt_count WHERE key = ANY(:keys) AND blocked_until > :now"
)
# One statement: whoever waited for the row sees the block that the one before has set.
_COUNT = text(
    """
    INSERT INTO attempt_count AS c (key, failures, last_at, blocked_until)
    VALUES (:key, 1, :now, :now)
    ON CONFLICT (key) DO UPDATE SET
      last_at = :now,
      failures = CASE WHEN c.last_at < :forget THEN 1 ELSE c.failures + 1 END,
      blocked_until = CASE
        WHEN c.last_at < :forget OR c.failures + 1 < :free THEN :now
        ELSE :now + least(:delay_max, make_interval(
          secs => power(2, least(c.failures + 1 - :free, 10))))
        END
    WHERE c.blocked_until <= :now
    RETURNING failures
    """
)
_UNTIL = text("SELECT blocked_until FROM attempt_count WHERE key = :key")
_CLEAR = text("DELETE FROM attempt_count WHERE key = :key")
# While it was blocked nobody else was let in: the block, if there is one, is this attempt's own.
_TAKE_BACK = text(
    "UPDATE attempt_count SET failures = failures - 1, blocked_until = least(blocked_until, :now)"
    " WHERE key = :key AND failures > 0"
)
_SWEEP = text(
    "DELETE FROM attempt_count WHERE key IN"
    " (SELECT key FROM attempt_count WHERE last_at < :before LIMIT :rows)"
)


@dataclass(frozen=True)
class Counter:
    """One count: `free` failures cost nothing, the wait is 1 s and doubles, up to DELAY_MAX."""

    key: bytes
    free: int
    is_cleared: bool = True
    """Whether success forgets it all; of a network's only its own attempt is taken back."""


async def admit(session: AsyncSession, counters: Sequence[Counter], now: datetime) -> timedelta:
    """Zero and the attempt is counted as failed, until `clear`; else how long to wait.

    Counters are taken in the order of their keys: two attempts never wait for each other in a ring.
    """
    keys = [counter.key for counter in counters]
    until: datetime | None = await session.scalar(_LOOK, {"keys": keys, "now": now})
    if until is not None:
        return until - now
    for counter in sorted(counters, key=lambda each: each.key):
        names: dict[str, Any] = {
            "key": counter.key,
            "now": now,
            "forget": now - FORGOTTEN_AFTER,
            "free": counter.free,
            "delay_max": DELAY_MAX,
        }
        if await session.scalar(_COUNT, names) is None:
            until = await session.scalar(_UNTIL, {"key": counter.key})
            return until - now if until is not None else timedelta(seconds=1)
    return timedelta(0)


async def clear(session: AsyncSession, counters: Sequence[Counter], now: datetime) -> None:
    """After success of what `admit` let in; in the same order."""
    for counter in sorted(counters, key=lambda each: each.key):
        if counter.is_cleared:
            await session.execute(_CLEAR, {"key": counter.key})
        else:
            await session.execute(_TAKE_BACK, {"key": counter.key, "now": now})


async def sweep(session: AsyncSession, now: datetime) -> None:
    await session.execute(_SWEEP, {"before": now - FORGOTTEN_AFTER, "rows": SWEEP_ROWS})
