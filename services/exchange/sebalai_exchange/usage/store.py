"""SQL of the list of calls; every read begins at `visible_to`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.usage.access import View

COLUMNS = {
    "message_id": "uuid",
    "at": "timestamptz",
    "requested_at": "timestamptz",
    "forwarded_at": "timestamptz",
    "responded_at": "timestamptz",
    "consumer": "text",
    "provider": "text",
    "interface": "text",
    "method": "text",
    "outcome": "text",
    "status": "integer",
    "problem": "text",
    "purpose": "text",
    "legal_basis": "text",
    "agreement": "text",
    "rule": "text",
    "trace_id": "text",
    "correlation_id": "text",
}

_INSERT = text(
    f"INSERT INTO call ({', '.join(COLUMNS)}) SELECT * FROM unnest("  # noqa: S608 - own columns
    + ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in COLUMNS.items())
    + ") ON CONFLICT (message_id) DO NOTHING RETURNING message_id"
)
_SWEEP = text("DELETE FROM call WHERE at < now() - make_interval(days => :days)")
_SWEEP_DEVIATIONS = text(
    "DELETE FROM deviation WHERE last_at < now() - make_interval(days => :days)"
)
_DEVIATION = text(
    "INSERT INTO deviation (interface, contract_sha256, deviation, calls) VALUES (:i, :c, :d, :n) "
    "ON CONFLICT (interface, contract_sha256, deviation) "
    "DO UPDATE SET calls = deviation.calls + excluded.calls, last_at = now()"
)
_DEVIATIONS = text(
    """
    SELECT * FROM deviation
    WHERE (CAST(:provider AS text) IS NULL OR starts_with(interface, :provider || '/'))
      AND (CAST(:interface AS text) IS NULL OR interface = :interface)
    ORDER BY calls DESC, interface, deviation LIMIT :limit
    """
)
_MS = "percentile_cont({}) WITHIN GROUP (ORDER BY extract(epoch FROM {}) * 1000)"
_STATISTICS = f"""
    SELECT interface, consumer, outcome, problem, count(*) AS calls,
      count(*) FILTER (WHERE status >= 500) AS server_errors,
      {_MS.format(0.5, "at - requested_at")} AS total_ms_p50,
      {_MS.format(0.95, "at - requested_at")} AS total_ms_p95,
      {_MS.format(0.5, "responded_at - forwarded_at")} AS provider_ms_p50,
      {_MS.format(0.95, "responded_at - forwarded_at")} AS provider_ms_p95
    FROM call WHERE VISIBLE AND at >= :since AND at < :until
    GROUP BY interface, consumer, outcome, problem ORDER BY calls DESC LIMIT 1000
"""  # noqa: S608 - own columns


@dataclass(frozen=True)
class CallFilter:
    consumer: str | None = None
    interface: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    without_consumer: str | None = None


def visible_to(view: View) -> tuple[str, dict[str, Any]]:
    """The condition every read begins with, and its parameters."""
    if view.sees_all:
        return "true", {}
    return "(consumer = :application OR provider = :application)", {"application": view.application}


async def add(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> set[UUID]:
    """The ids that were new."""
    columns = {name: [row[name] for row in rows] for name in COLUMNS}
    return set((await session.scalars(_INSERT, columns)).all())


async def add_deviations(
    session: AsyncSession, counted: Mapping[tuple[str, str, str], int]
) -> None:
    for (interface, contract, deviation), times in sorted(counted.items()):
        values = {"i": interface, "c": contract, "d": deviation, "n": times}
        await session.execute(_DEVIATION, values)


async def deviations(
    session: AsyncSession, provider: str | None, interface: str | None, limit: int
) -> Sequence[Any]:
    values = {"provider": provider, "interface": interface, "limit": limit}
    return (await session.execute(_DEVIATIONS, values)).all()


async def statistics(
    session: AsyncSession, view: View, since: datetime, until: datetime
) -> Sequence[Any]:
    condition, values = visible_to(view)
    query = text(_STATISTICS.replace("VISIBLE", condition))
    return (await session.execute(query, values | {"since": since, "until": until})).all()


async def page(
    session: AsyncSession,
    view: View,
    wanted: CallFilter,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    """Up to `limit + 1` calls, newest first."""
    condition, values = visible_to(view)
    conditions = [condition]
    for column in ("consumer", "interface", "outcome"):
        value = getattr(wanted, column)
        if value is not None:
            conditions.append(f"{column} = :{column}")
            values[column] = value
    if wanted.without_consumer is not None:
        conditions.append("consumer IS DISTINCT FROM :without_consumer")
        values["without_consumer"] = wanted.without_consumer
    if wanted.since is not None:
        conditions.append("at >= :since")
        values["since"] = wanted.since
    if before is not None:
        conditions.append("(at, message_id) < (:before_at, :before_id)")
        values |= {"before_at": before[0], "before_id": before[1]}
    query = (
        f"SELECT {', '.join(COLUMNS)} FROM call WHERE {' AND '.join(conditions)} "  # noqa: S608
        "ORDER BY at DESC, message_id DESC LIMIT :limit"
    )
    return (await session.execute(text(query), values | {"limit": limit + 1})).all()


async def find(session: AsyncSession, view: View, message_id: UUID) -> Any:
    """The call, or None when it is not there or not to be seen."""
    condition, values = visible_to(view)
    query = (
        f"SELECT {', '.join(COLUMNS)} FROM call "  # noqa: S608
        f"WHERE message_id = :message_id AND {condition}"
    )
    return (await session.execute(text(query), values | {"message_id": message_id})).one_or_none()


async def sweep(session: AsyncSession, days: int) -> None:
    await session.execute(_SWEEP, {"days": days})
    await session.execute(_SWEEP_DEVIATIONS, {"days": days})


async def last_noted(session: AsyncSession) -> int:
    return int(await session.scalar(text("SELECT max(noted) FROM call")) or 0)


async def newer(
    session: AsyncSession,
    view: View,
    wanted: CallFilter,
    after: tuple[int, datetime],
    limit: int,
) -> Sequence[Any]:
    """Calls in the order they were noted in: those behind `after` that ended at its time or later.

    Not by the time they ended at: a call that ends first may be noted last.
    """
    condition, values = visible_to(view)
    query = (
        f"SELECT noted, {', '.join(COLUMNS)} FROM call WHERE {condition} "  # noqa: S608
        "AND noted > :after AND at >= :since "
        "AND (CAST(:consumer AS text) IS NULL OR consumer = :consumer) "
        "AND (CAST(:interface AS text) IS NULL OR interface = :interface) "
        "ORDER BY noted LIMIT :limit"
    )
    values |= {"consumer": wanted.consumer, "interface": wanted.interface, "limit": limit}
    values |= {"after": after[0], "since": after[1]}
    return (await session.execute(text(query), values)).all()
