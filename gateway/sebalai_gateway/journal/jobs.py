"""Timed work on the journal: calls that never completed, partitions ahead, old days away."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

log = logging.getLogger(__name__)

RECONCILE_AFTER = timedelta(seconds=90)
RECONCILE_ROWS = 1_000
RECONCILE_EACH_SECONDS = 15.0
DAYS_AHEAD = 3
DAYS_KEPT = 30
PARTITIONS_EACH_SECONDS = 3_600.0
LOCK_WAIT = "200ms"

LOOK_BACK = timedelta(days=2)
LOOK_AGAIN = timedelta(minutes=1)
WHOLE_EACH = timedelta(hours=1)

_OPEN = """
SELECT message_id, coalesce((record->>'deadline')::timestamptz, at) < now() - $4::interval AS is_due
FROM journal AS asked
WHERE phase = 'requested' AND day = $1 AND message_id BETWEEN $2 AND $3
  AND NOT EXISTS (SELECT FROM journal AS answered WHERE answered.day = $1
    AND answered.message_id = asked.message_id AND answered.phase = 'completed')
ORDER BY message_id LIMIT $5
"""
_CLOSE = """
INSERT INTO journal (day, message_id, phase, at, record)
SELECT day, message_id, 'completed', now(), (record - 'deadline') || jsonb_build_object(
  'outcome', 'unknown', 'problem', 'outcome-unknown', 'completed_at',
  to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
FROM journal WHERE day = $1 AND message_id = ANY($2::uuid[]) AND phase = 'requested'
ON CONFLICT DO NOTHING
"""


class Reconciler:
    """Closes calls without an outcome as `unknown`: their gateway died, or could not write.

    A call that may last longer says so in its entry (`deadline`), so that no living call is closed;
    should it be, its gateway withholds the answer, and no answer is given that the evidence denies.

    Message ids are ordered by time: each pass reads only ids since the oldest call still open, and
    every WHOLE_EACH all of LOOK_BACK again, for a gateway whose clock is behind.
    """

    def __init__(self, dsn: str, after: timedelta = RECONCILE_AFTER) -> None:
        self._dsn, self._after = dsn, after
        self._open_since = self._whole_at = datetime.min.replace(tzinfo=UTC)

    async def __call__(self) -> int:
        """One pass over at most RECONCILE_ROWS open calls; answers how many it closed."""
        now = datetime.now(UTC)  # noqa: TID251 - the worker's own job, not a rule
        upto = now - self._after
        if now - self._whole_at >= WHOLE_EACH:
            self._whole_at, self._open_since = now, now - LOOK_BACK
        connection = await asyncpg.connect(self._dsn)
        try:
            count, oldest = await self._close_open(connection, self._open_since, upto)
        finally:
            await connection.close()
        self._open_since = min(oldest, upto - LOOK_AGAIN)
        if count:
            log.warning("%d calls closed with an unknown outcome", count)
        return count

    async def _close_open(
        self, connection: Any, since: datetime, upto: datetime
    ) -> tuple[int, datetime]:
        """How many calls were closed, and the time of the oldest that is still open."""
        count, left, oldest, day = 0, RECONCILE_ROWS, upto, since.date()
        while day <= upto.date() and left > 0:
            rows = await connection.fetch(
                _OPEN, day, _first_id(since), _last_id(upto), self._after, left
            )
            due = [row["message_id"] for row in rows if row["is_due"]]
            if due:
                done: str = await connection.execute(_CLOSE, day, due)
                count += int(done.rsplit(" ", 1)[1])
            waiting = [row["message_id"] for row in rows if not row["is_due"]]
            # A full page may have more behind it.
            waiting += [rows[-1]["message_id"]] if len(rows) == left else []
            oldest = min([oldest, *map(_time_of, waiting)])
            left -= len(rows)
            day += timedelta(days=1)
        return count, oldest


async def reconcile(dsn: str, after: timedelta = RECONCILE_AFTER) -> int:
    """One pass over all of LOOK_BACK."""
    return await Reconciler(dsn, after)()


def _first_id(at: datetime) -> UUID:
    return UUID(int=int(at.timestamp() * 1000) << 80)


def _last_id(at: datetime) -> UUID:
    return UUID(int=((int(at.timestamp() * 1000) + 1) << 80) - 1)


def _time_of(message_id: UUID) -> datetime:
    return datetime.fromtimestamp((message_id.int >> 80) / 1000, UTC)


async def keep_partitions(dsn: str, today: date | None = None) -> None:
    """Makes the partitions of today and DAYS_AHEAD; drops relayed days older than DAYS_KEPT."""
    today = today or datetime.now(UTC).date()  # noqa: TID251 - the worker's own job, not a rule
    # A day that is dropped needs up to three locks that keep calls waiting, as does the wait for
    # each; together they stay below the time a call's entry has.
    connection = await asyncpg.connect(dsn, server_settings={"lock_timeout": LOCK_WAIT})
    try:
        for ahead in range(DAYS_AHEAD + 1):
            await _make_day(connection, today + timedelta(days=ahead))
        await _drop_old_days(connection, today - timedelta(days=DAYS_KEPT))
    except asyncpg.LockNotAvailableError:
        log.warning("the journal is in use; its partitions wait for the next pass")
    finally:
        await connection.close()


async def _make_day(connection: Any, day: date) -> None:
    """Made apart and then attached: calls go on meanwhile, whoever reads the journal for long."""
    name = f"journal_{day:%Y%m%d}"
    try:
        async with connection.transaction():
            # One at a time: a migration and the worker may both be at it.
            await connection.execute("LOCK TABLE ONLY journal IN SHARE UPDATE EXCLUSIVE MODE")
            if await connection.fetchval("SELECT to_regclass($1)", name) is not None:
                return
            await connection.execute(f"CREATE TABLE {name} (LIKE journal INCLUDING ALL)")
            await connection.execute(
                f"ALTER TABLE journal ATTACH PARTITION {name} "
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
    """Whether the relay's cursor has passed every completed call of the partition; without a
    cursor nothing was ever sent.
    """
    return bool(
        await connection.fetchval(
            f"SELECT count(*) = 1 AND NOT bool_or(EXISTS (SELECT FROM {name} AS entry "  # noqa: S608
            "WHERE entry.phase = 'completed' "
            "AND (entry.xid, entry.seq) > (passed.xid, passed.seq))) "
            "FROM relay_cursor AS passed WHERE passed.name = 'journal'"
        )
    )
