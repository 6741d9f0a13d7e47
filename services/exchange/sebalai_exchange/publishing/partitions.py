"""Partitions of the event store and of the attempts: made ahead, and when their time is over.

Each class of days has partitions of its own, so forgetting is dropping (`forgetting.py`).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

AHEAD_MONTHS = 2
ATTEMPT_KEPT_DAYS = 90
RETENTION_CLASSES = (30, 365, 3650)
_NAME = re.compile(r"_\d{4}_\d{2}$")


def _month(year: int, month: int) -> datetime:
    return datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)


def wanted(now: datetime) -> Iterator[tuple[str, str, datetime, datetime]]:
    """(parent, partition, from, to) for this month and AHEAD_MONTHS more."""
    parents = [f"event_{days}" for days in RETENTION_CLASSES] + ["attempt"]
    for parent in parents:
        for ahead in range(AHEAD_MONTHS + 1):
            begins, ends = (
                _month(now.year, now.month + ahead),
                _month(now.year, now.month + ahead + 1),
            )
            yield parent, f"{parent}_{begins:%Y_%m}", begins, ends


def span_of(partition: str) -> tuple[datetime, datetime]:
    """The month of a partition that is named by one."""
    year, month = (int(part) for part in partition.rsplit("_", 2)[1:])
    return _month(year, month), _month(year, month + 1)


def is_over(parent: str, partition: str, now: datetime) -> bool:
    """Whether everything in the partition is older than its class is kept."""
    if not _NAME.search(partition):
        return False
    _, ends = span_of(partition)
    days = ATTEMPT_KEPT_DAYS if parent == "attempt" else int(parent.rpartition("_")[2])
    return (now - ends).days >= days


async def prepare_partitions(connection: Any, now: datetime) -> list[str]:
    """Makes what is missing and drops the attempts that are over; answers the names dropped.

    A month that already has rows in the rest partition stays there: rows are never moved.
    """
    for parent, name, begins, ends in wanted(now):
        await _make(connection, parent, name, (begins, ends))
    rows = await connection.fetch(
        "SELECT c.relname::text AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = 'attempt'::regclass"
    )
    dropped = sorted(row["name"] for row in rows if is_over("attempt", row["name"], now))
    for name in dropped:
        await connection.execute(f'DROP TABLE "{name}"')
    return dropped


async def _make(connection: Any, parent: str, name: str, span: tuple[datetime, datetime]) -> None:
    if await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", name):
        return
    column = "at" if parent == "attempt" else "stored_at"
    has_rest = await connection.fetchval(
        f"SELECT EXISTS (SELECT 1 FROM {parent}_rest WHERE {column} >= $1 AND {column} < $2)",  # noqa: S608
        *span,
    )
    if not has_rest:
        await connection.execute(
            f"CREATE TABLE {name} PARTITION OF {parent} "
            f"FOR VALUES FROM ('{span[0].isoformat()}') TO ('{span[1].isoformat()}')"
        )
