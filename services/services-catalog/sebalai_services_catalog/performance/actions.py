"""Decisions about performance data: what the public sees of each service, and what heads see of
each agency. Everything is counted from requests, complaints and surveys as they were recorded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sebalai_shared.caller import Caller
from sebalai_shared.problems import Forbidden
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.calendar.actions import ONE_DAY, end_of
from sebalai_services_catalog.complaints import actions as complaints
from sebalai_services_catalog.performance.figures import percent, share
from sebalai_services_catalog.requests import actions as requests
from sebalai_services_catalog.requests.actions import Held, Volume
from sebalai_services_catalog.surveys.actions import Score, results

__all__ = ["percent", "share"]

DECIDE = "catalog.decide"


class LeadershipRefused(Forbidden):
    slug, title = "leadership-view-refused", "This view is for heads of agencies"


@dataclass(frozen=True, slots=True)
class Performance:
    volumes: list[Volume]
    scores: Mapping[str, Score]
    complaints: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Leadership:
    """`held`: how long files lay with whom; `complaints`: (agency, category) → count."""

    held: list[Held]
    complaints: Mapping[tuple[str, str], int]


def moments(period: tuple[date, date]) -> tuple[datetime, datetime]:
    """From the first instant of the first day to the first instant after the last, in WIB."""
    first, last = period
    return end_of(first - ONE_DAY), end_of(last)


async def measure(
    session: AsyncSession, *, period: tuple[date, date], service: str | None
) -> Performance:
    times = moments(period)
    return Performance(
        volumes=await requests.volumes(session, period=times, service=service),
        scores=await results(session, period=period, service=service),
        complaints=await complaints.count_by_service(session, period=times),
    )


async def lead(session: AsyncSession, *, caller: Caller, period: tuple[date, date]) -> Leadership:
    """Raises: LeadershipRefused."""
    if not caller.has_scope(DECIDE):
        raise LeadershipRefused(f"It needs scope {DECIDE}.")
    times = moments(period)
    return Leadership(
        held=await requests.held_times(session, period=times),
        complaints=await complaints.count_by_agency(session, period=times),
    )
