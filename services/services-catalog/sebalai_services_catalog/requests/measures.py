"""Counts over requests, for performance data: volumes by service, and how long files lay where."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

SERVICES_MAX = 5_000


@dataclass(frozen=True, slots=True)
class Volume:
    """`on_time` and `late` are of the finished ones whose promise ran; `open` is now."""

    service: str
    agency: str
    submitted: int
    finished: int
    issued: int
    on_time: int
    late: int
    open: int


@dataclass(frozen=True, slots=True)
class Held:
    """Time that files spent in a state at an agency, of stretches that ended in the period.

    A file that waits for evidence lies with the agency that holds it.
    """

    agency: str
    state: str
    files: int
    mean_seconds: float
    longest_seconds: float


_VOLUMES = text(
    """
    SELECT service, agency,
      count(*) FILTER (WHERE submitted_at >= :since AND submitted_at < :until) AS submitted,
      count(*) FILTER (WHERE is_done) AS finished,
      count(*) FILTER (WHERE is_done AND state = 'issued') AS issued,
      count(*) FILTER (WHERE is_done AND due_at IS NOT NULL AND NOT is_late) AS on_time,
      count(*) FILTER (WHERE is_done AND due_at IS NOT NULL AND is_late) AS late,
      count(*) FILTER (WHERE closed_at IS NULL) AS open
    FROM (
      SELECT *, state IN ('issued', 'refused') AND closed_at >= :since AND closed_at < :until
          AS is_done,
        breached_at IS NOT NULL OR closed_at >= due_at AS is_late
      FROM service_request WHERE submitted_at IS NOT NULL
        AND (CAST(:service AS text) IS NULL OR service = :service)
        AND (closed_at IS NULL OR closed_at >= :since OR submitted_at >= :since)
    ) AS request
    GROUP BY service, agency ORDER BY service LIMIT :limit
    """
)
_HELD = text(
    """
    SELECT agency, state, count(*) AS files, avg(seconds)::float AS mean_seconds,
      max(seconds)::float AS longest_seconds
    FROM (
      SELECT CASE WHEN a.act = 'ask_evidence' THEN a.detail->>'holder' ELSE r.agency END AS agency,
        a.state_after AS state,
        extract(epoch FROM lead(a.at) OVER (PARTITION BY a.request_id ORDER BY a.number) - a.at)
          AS seconds,
        lead(a.at) OVER (PARTITION BY a.request_id ORDER BY a.number) AS ended
      FROM request_act a JOIN service_request r ON r.id = a.request_id
    ) AS stretch
    WHERE ended >= :since AND ended < :until
    GROUP BY agency, state ORDER BY sum(seconds) DESC LIMIT :limit
    """
)


async def volumes(
    session: AsyncSession, *, period: tuple[datetime, datetime], service: str | None
) -> list[Volume]:
    """Services that were asked for in the period, or have files open."""
    since, until = period
    values = {"since": since, "until": until, "service": service, "limit": SERVICES_MAX}
    return [Volume(**row) for row in (await session.execute(_VOLUMES, values)).mappings()]


async def held_times(session: AsyncSession, *, period: tuple[datetime, datetime]) -> list[Held]:
    """The most time lost first."""
    since, until = period
    values = {"since": since, "until": until, "limit": SERVICES_MAX}
    return [Held(**row) for row in (await session.execute(_HELD, values)).mappings()]
