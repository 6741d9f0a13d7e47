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

from sebalai_shared.statements import execute, fetch_one
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

DELAY_MAX = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=1)
FREE_PLACE = 5
FREE_NAME = 20
FREE_NETWORK = 100
SWEEP_ROWS = 50_000
SHORTEST = timedelta(seconds=1)

# One statement: who is blocked is not counted, and whoever waited for a row sees the block that the
# one before has set. In the order of keys: two attempts never wait for each other in a ring.
_ADMIT = """
    WITH block AS (
      SELECT max(blocked_until) AS until FROM attempt_count
      WHERE key = ANY($1) AND blocked_until > $3
    ), counted AS (
      INSERT INTO attempt_count AS c (key, failures, last_at, blocked_until)
      SELECT key, 1, $3::timestamptz, $3::timestamptz FROM unnest($1::bytea[]) AS key, block
      WHERE block.until IS NULL ORDER BY key
      ON CONFLICT (key) DO UPDATE SET
        last_at = $3,
        failures = CASE WHEN c.last_at < $4 THEN 1 ELSE c.failures + 1 END,
        blocked_until = CASE
          WHEN c.last_at < $4 OR c.failures + 1 < FREE THEN $3::timestamptz
          ELSE $3::timestamptz + least(
            $5::interval, make_interval(secs => power(2, least(c.failures + 1 - FREE, 10))))
          END
      WHERE c.blocked_until <= $3
      RETURNING key
    )
    SELECT until, (SELECT count(*) FROM counted) AS counted FROM block
    """.replace("FREE", "($2::int[])[array_position($1::bytea[], excluded.key)]")
_UNTIL = "SELECT max(blocked_until) FROM attempt_count WHERE key = ANY($1)"
# While a network was blocked nobody else was let in: the block, if there is one, is this attempt's.
_CLEAR = (
    "WITH held AS MATERIALIZED"
    " (SELECT key FROM attempt_count WHERE key = ANY($1) OR key = ANY($2) ORDER BY key FOR UPDATE),"
    " gone AS (DELETE FROM attempt_count c USING held WHERE c.key = held.key AND c.key = ANY($1))"
    " UPDATE attempt_count c SET failures = failures - 1, blocked_until = least(blocked_until, $3)"
    " FROM held WHERE c.key = held.key AND c.key = ANY($2) AND failures > 0"
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
    """Zero and the attempt is counted as failed, until `clear`; else how long to wait."""
    keys, free = [one.key for one in counters], [one.free for one in counters]
    forget = now - FORGOTTEN_AFTER
    row: Any = await fetch_one(session, _ADMIT, keys, free, now, forget, DELAY_MAX)
    if row.until is not None:
        return row.until - now
    if row.counted == len(keys):
        return timedelta(0)
    until = await fetch_one(session, _UNTIL, keys)
    return max(until[0] - now, SHORTEST) if until is not None and until[0] is not None else SHORTEST


async def clear(session: AsyncSession, counters: Sequence[Counter], now: datetime) -> None:
    """After success of what `admit` let in; in the same order."""
    cleared = [one.key for one in counters if one.is_cleared]
    taken_back = [one.key for one in counters if not one.is_cleared]
    await execute(session, _CLEAR, cleared, taken_back, now)


async def sweep(session: AsyncSession, now: datetime) -> None:
    await session.execute(_SWEEP, {"before": now - FORGOTTEN_AFTER, "rows": SWEEP_ROWS})
