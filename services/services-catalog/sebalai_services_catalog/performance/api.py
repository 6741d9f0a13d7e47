"""HTTP of performance data: `/v1/performance`, public; the view across agencies for heads."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import FieldInvalid, responses
from sebalai_shared.spreadsheets import sheet

from sebalai_services_catalog.calendar.actions import civil_date
from sebalai_services_catalog.conditional import Conditional
from sebalai_services_catalog.now import Now
from sebalai_services_catalog.performance import actions
from sebalai_services_catalog.performance.actions import LeadershipRefused, Performance
from sebalai_services_catalog.performance.figures import percent, share
from sebalai_services_catalog.requests.actions import Volume

router = APIRouter(prefix="/v1/performance", tags=["performance"], route_class=Conditional)

SHEET: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}}}
PERIOD_DEFAULT = timedelta(days=90)
PERIOD_MAX = timedelta(days=1_100)

Slug = Annotated[str, Path(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Since = Annotated[date | None, Query(description="first day; 90 days back when absent")]
Until = Annotated[date | None, Query(description="last day; today when absent")]


class ServiceFigures(BaseModel):
    """Shares are percent with one decimal as text; null where nothing was counted."""

    service: str
    agency: str
    submitted: int
    finished: int
    issued: int
    on_time: int
    late: int
    on_time_percent: str | None
    open: int
    complaints: int
    skm: str | None
    skm_grade: str | None
    respondents: int


class PerformanceRead(BaseModel):
    since: date
    until: date
    services: list[ServiceFigures]


class HeldRead(BaseModel):
    """How long files lay in a state at an agency, in hours: where time is lost."""

    agency: str
    state: str
    files: int
    hours_mean: str
    hours_longest: str


class ComplaintsRead(BaseModel):
    agency: str
    category: str
    complaints: int


class LeadershipRead(BaseModel):
    since: date
    until: date
    held: list[HeldRead]
    complaints: list[ComplaintsRead]


async def _period(clock: Now, since: Since = None, until: Until = None) -> tuple[date, date]:
    """Raises: FieldInvalid."""
    last = until or civil_date(clock.now())
    first = since or last - PERIOD_DEFAULT
    if not timedelta() <= last - first <= PERIOD_MAX:
        raise FieldInvalid("/since", f"A period of up to {PERIOD_MAX.days} days, in order.")
    return first, last


Period = Annotated[tuple[date, date], Depends(_period)]


def _figures(found: Performance, one: Volume) -> ServiceFigures:
    score = found.scores.get(one.service)
    return ServiceFigures(
        service=one.service,
        agency=one.agency,
        submitted=one.submitted,
        finished=one.finished,
        issued=one.issued,
        on_time=one.on_time,
        late=one.late,
        on_time_percent=percent(share(one.on_time, one.late)),
        open=one.open,
        complaints=found.complaints.get(one.service, 0),
        skm=str(score.rounded) if score else None,
        skm_grade=score.grade if score else None,
        respondents=score.respondents if score else 0,
    )


async def _read(session: Transaction, period: Period, service: str | None) -> PerformanceRead:
    found = await actions.measure(session, period=period, service=service)
    return PerformanceRead(
        since=period[0],
        until=period[1],
        services=[_figures(found, one) for one in found.volumes],
    )


@router.get("", responses=responses(FieldInvalid))
async def read_performance(
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
    period: Period,
) -> PerformanceRead:
    """Volume, on-time share, satisfaction and complaints of every service that was asked for."""
    return await _read(session, period, None)


async def _leadership(
    caller: IdentifiedAccess, session: Transaction, period: Period
) -> LeadershipRead:
    """Raises: LeadershipRefused."""
    found = await actions.lead(session, caller=caller, period=period)
    return LeadershipRead(
        since=period[0],
        until=period[1],
        held=[
            HeldRead(
                agency=one.agency,
                state=one.state,
                files=one.files,
                hours_mean=f"{one.mean_seconds / 3600:.1f}",
                hours_longest=f"{one.longest_seconds / 3600:.1f}",
            )
            for one in found.held
        ],
        complaints=[
            ComplaintsRead(agency=agency, category=category, complaints=count)
            for (agency, category), count in sorted(found.complaints.items())
        ],
    )


ForHeads = Annotated[LeadershipRead, Depends(_leadership)]
HEADS = responses(LeadershipRefused, FieldInvalid)


@router.get("/agencies", responses=HEADS)
async def read_leadership(found: ForHeads) -> LeadershipRead:
    """For heads: where time is lost and what people complain of, across agencies."""
    return found


@router.get("/agencies/held.csv", response_class=Response, responses=HEADS | SHEET)
async def read_held_csv(found: ForHeads) -> Response:
    """Where time is lost, for a spreadsheet."""
    return _sheet(HeldRead, found.held)


@router.get("/agencies/complaints.csv", response_class=Response, responses=HEADS | SHEET)
async def read_complaints_csv(found: ForHeads) -> Response:
    """What people complain of, for a spreadsheet."""
    return _sheet(ComplaintsRead, found.complaints)


@router.get("/services.csv", response_class=Response, responses=responses(FieldInvalid) | SHEET)
async def read_csv(
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
    period: Period,
) -> Response:
    """The same figures for a spreadsheet; no cell begins like a formula."""
    found = await _read(session, period, None)
    return _sheet(ServiceFigures, found.services)


def _sheet(model: type[BaseModel], rows: Sequence[BaseModel]) -> Response:
    text = sheet(list(model.model_fields), (one.model_dump() for one in rows))
    return Response(text, media_type="text/csv; charset=utf-8")


@router.get("/services/{service}", responses=responses(FieldInvalid))
async def read_service_performance(
    service: Slug,
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
    period: Period,
) -> PerformanceRead:
    return await _read(session, period, service)
