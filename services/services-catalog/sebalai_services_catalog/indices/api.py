"""HTTP of maturity indices: `/v1/indices/{spbe|pemdi}`, read by everybody."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_services_catalog.indices import actions
from sebalai_services_catalog.indices.actions import AssessmentRefused, Sheet
from sebalai_services_catalog.indices.model import Assessment
from sebalai_services_catalog.indices.score import gains, grade_of, index_of, parts, rounded
from sebalai_services_catalog.now import Now

router = APIRouter(prefix="/v1/indices", tags=["indices"])

Scheme = Literal["spbe", "pemdi"]
Year = Annotated[int, Path(ge=2018, le=2100)]
Number = Annotated[int, Path(ge=1, le=200)]
Line = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


async def _key(scheme: Scheme, year: Year, number: Number) -> tuple[Scheme, int, int]:
    return scheme, year, number


Key = Annotated[tuple[Scheme, int, int], Depends(_key)]


class EvidenceWrite(BaseModel):
    """Where the proof stands: a page or figure of the platform, or a record of the archive."""

    model_config = ConfigDict(extra="forbid")

    title: Line
    url: Annotated[str, Field(pattern=r"^https?://[^\s\x00]{1,480}$")]


class AssessmentWrite(BaseModel):
    """No level without evidence."""

    model_config = ConfigDict(extra="forbid")

    level: Annotated[int, Field(ge=1, le=5)]
    evidence: Annotated[list[EvidenceWrite], Field(min_length=1, max_length=20)]
    note: Line | None = None


class AssessmentRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    scheme: Scheme
    year: int
    number: int
    level: int
    evidence: list[EvidenceWrite]
    note: str | None
    entered_by: str
    entered_at: datetime


class GainRead(BaseModel):
    """The index when this one indicator rises by one level."""

    number: int
    name: str
    index: str
    grade: str


class IndexRead(BaseModel):
    """`index` null while an indicator has no level. Figures are text: exact to two decimals."""

    scheme: Scheme
    year: int
    index: str | None
    grade: str | None
    missing: list[int]
    aspects: dict[str, str]
    domains: dict[str, str]
    gains: list[GainRead]


def _read(scheme: Scheme, year: int, sheet: Sheet) -> IndexRead:
    if sheet.missing:
        return IndexRead(
            scheme=scheme, year=year, index=None, grade=None, missing=sheet.missing, aspects={},
            domains={}, gains=[],
        )  # fmt: skip
    index = index_of(sheet.indicators, sheet.levels)
    return IndexRead(
        scheme=scheme,
        year=year,
        index=str(rounded(index)),
        grade=grade_of(index, sheet.bands),
        missing=[],
        aspects=_parts(sheet, "aspect"),
        domains=_parts(sheet, "domain"),
        gains=[
            GainRead(
                number=gain.number,
                name=sheet.names[gain.number],
                index=str(rounded(gain.index)),
                grade=gain.grade,
            )
            for gain in gains(sheet.indicators, sheet.levels, sheet.bands)
        ],
    )


def _parts(sheet: Sheet, by: str) -> dict[str, str]:
    found = parts(sheet.indicators, sheet.levels, by)
    return {name: str(rounded(index)) for name, index in found.items()}


@router.get("/{scheme}/{year}")
async def read_index(
    scheme: Scheme,
    year: Year,
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
) -> IndexRead:
    """The index of a year by the latest self-assessment, and what raising one indicator gives."""
    return _read(scheme, year, await actions.sheet(session, scheme=scheme, year=year))


@router.get("/{scheme}/indicators/{number}")
async def read_history(
    scheme: Scheme,
    number: Number,
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
) -> list[AssessmentRead]:
    """Every assessment of one indicator, with evidence, the latest first."""
    rows: list[Assessment] = list(await actions.history(session, scheme=scheme, number=number))
    return [AssessmentRead.model_validate(row) for row in rows]


@router.put(
    "/{scheme}/{year}/{number}",  # noqa: FAST003 - taken by Key
    responses=responses(AssessmentRefused, FieldInvalid),
)
async def assess(
    wanted: AssessmentWrite,
    key: Key,
    caller: IdentifiedAccess,
    session: Transaction,
    clock: Now,
) -> AssessmentRead:
    row = await actions.assess(session, clock, caller=caller, key=key, given=wanted.model_dump())
    return AssessmentRead.model_validate(row)
