"""HTTP of measured evidence: `/v1/indices/{spbe|pemdi}/{year}/evidence`, public."""

from datetime import date, datetime

from fastapi import APIRouter
from pydantic import BaseModel
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction

from sebalai_services_catalog.calendar.actions import civil_date
from sebalai_services_catalog.conditional import Conditional
from sebalai_services_catalog.indices import actions, measured
from sebalai_services_catalog.indices.actions import Sheet
from sebalai_services_catalog.indices.api import Scheme, Year
from sebalai_services_catalog.indices.measured import Figure, Words
from sebalai_services_catalog.indices.score import gains, rounded
from sebalai_services_catalog.now import Now
from sebalai_services_catalog.provenance import ProvenanceRead

router = APIRouter(prefix="/v1/indices", tags=["indices"], route_class=Conditional)

LINK = ProvenanceRead(
    status="unverified",
    source="made for this project: the regulations name no figures for their indicators",
)


class FigureRead(BaseModel):
    """`unit` is `count` or `percent` (one decimal); `value` null where nothing was counted."""

    code: str
    title: Words
    unit: str
    value: str | None
    source: str


class IndicatorRead(BaseModel):
    """`provenance` of the indicator. `level` and `raised` (the index one level higher, null at the
    top or while any indicator has no level) by the latest self-assessment of the year.
    """

    number: int
    name: str
    weight: str
    provenance: ProvenanceRead
    level: int | None
    raised: str | None
    figures: list[FigureRead]


class EvidenceRead(BaseModel):
    """`link`: how sure it is that a figure bears on its indicator. No figure gives a level."""

    scheme: Scheme
    since: date
    until: date
    link: ProvenanceRead
    indicators: list[IndicatorRead]


@router.get("/{scheme}/{year}/evidence")
async def read_evidence(
    scheme: Scheme,
    year: Year,
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
    clock: Now,
) -> EvidenceRead:
    """Each indicator, what the platform measured of it in the year, and what raising it gives."""
    since, until = _period(year, clock.now())
    sheet = await actions.sheet(session, scheme=scheme, year=year)
    found = await measured.figures(session, clock, scheme=scheme, period=(since, until))
    raised = _raised(sheet)
    return EvidenceRead(
        scheme=scheme,
        since=since,
        until=until,
        link=LINK,
        indicators=[
            IndicatorRead(
                number=one.number,
                name=one.name,
                weight=str(one.weight),
                provenance=ProvenanceRead.of(one),
                level=sheet.levels.get(one.number),
                raised=raised.get(one.number),
                figures=[_read(figure) for figure in found.get(one.number, [])],
            )
            for one in sheet.rows
        ],
    )


def _period(year: int, now: datetime) -> tuple[date, date]:
    """The year, of this one the days so far."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    return first, max(first, min(last, civil_date(now)))


def _raised(sheet: Sheet) -> dict[int, str]:
    if sheet.missing:
        return {}
    found = gains(sheet.indicators, sheet.levels, sheet.bands)
    return {gain.number: str(rounded(gain.index)) for gain in found}


def _read(figure: Figure) -> FigureRead:
    said = figure.measure
    return FigureRead(
        code=figure.code, title=said.title, unit=said.unit, value=figure.value, source=said.source
    )
