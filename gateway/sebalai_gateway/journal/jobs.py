"""Timed work on the journal: calls that never completed, partitions ahead, old days away."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg

log = logging.getLogger(__name__)

RECONCILE_AFTER = timedelta(seconds=90)
RECONCILE_ROWS = 1_000
RECONCILE_EACH_SECONDS = 15.0
DAYS_AHEAD = 3
DAYS_KEPT = 30
PARTITIONS_EACH_SECONDS = 3_600.0

_RECONCILE = """
INSERT INTO journal (day, message_id, phase, at, record)
SELECT day, message_id, 'completed', now(), record || jsonb_build_object(
  'outcome', 'unknown', 'problem', 'outcome-unknown', 'completed_at',
  to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
FROM journal AS asked
WHERE phase = 'requested' AND at < now() - $1::interval AND day >= current_date - 2
  AND NOT EXISTS (SELECT FROM journal AS answered WHERE answered.day = asked.day
    AND answered.message_id = asked.message_id AND answered.phase = 'completed')
LIMIT $2 ON CONFLICT DO NOTHING
"""


async def reconcile(dsn: str, after: timedelta = RECONCILE_AFTER) -> int:
    """Closes calls without an outcome as `unknown`: their gateway died, or could not write.

    `after` must exceed the longest total timeout of an interface, or a living call is closed; then
    its gateway withholds the answer, so that no answer is given that the evidence denies.
    """
    connection = await asyncpg.connect(dsn)
    try:
        done: str = await connection.execute(_RECONCILE, after, RECONCILE_ROWS)
    finally:
        await connection.close()
    count = int(done.rsplit(" ", 1)[1])
    if count:
        log.warning("%d calls closed with an unknown outcome", count)
    return count


async def keep_partitions(dsn: str, today: date | None = None) -> None:
    """Makes the partitions of today and DAYS_AHEAD; drops relayed days older than DAYS_KEPT."""
    today = today or datetime.now(UTC).date()  # noqa: TID251 - the worker's own job, not a rule
    connection = await asyncpg.connect(dsn)
    try:
        for ahead in range(DAYS_AHEAD + 1):
            await _make_day(connection, today + timedelta(days=ahead))
        await _drop_old_days(connection, today - timedelta(days=DAYS_KEPT))
    finally:
        await connection.close()


async def _make_day(connection: Any, day: date) -> None:
    name = f"journal_{day:%Y%m%d}"
    if await connection.fetchval("SELECT to_regclass($1)", name) is not None:
        return
    try:
        await connection.execute(
            f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF journal "
            f"FOR VALUES FROM ('{day}') TO ('{day + timedelta(days=1)}')"
        )
    except asyncpg.CheckViolationError:
        log.warning("entries of %s already lie in the default partition and stay there", day)


async def _drop_old_days(connection: Any, before: date) -> None:
    names = await connection.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits "
        "WHERE inhparent = 'journal'::regclass"
    )
    for row in names:
        name = str(row["name"])
        if name < f"journal_{before:%Y%m%d}" and await _is_relayed(connection, name):
            await connection.execute(f"DROP TABLE {name}")
            log.info("dropped %s", name)


async def _is_relayed(connection: Any, name: str) -> bool:
    """Whether the relay's cursor has passed every completed call of the partition; before the
    relay's first pass there is no cursor, and then it has passed nothing.
    """
    return bool(
        await connection.fetchval(
            f"SELECT NOT EXISTS (SELECT FROM {name} AS entry "  # noqa: S608
            "WHERE entry.phase = 'completed' AND NOT EXISTS (SELECT FROM relay_cursor AS passed "
            "WHERE passed.name = 'journal' "
            "AND (entry.xid, entry.seq) <= (passed.xid, passed.seq)))"
        )
    )
