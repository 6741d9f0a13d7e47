"""Decisions about maturity indices: assess an indicator with evidence, and what it adds up to."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import FieldInvalid, Forbidden
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.indices.model import Assessment
from sebalai_services_catalog.indices.score import Band, Weighed
from sebalai_services_catalog.reference.actions import Indicator, Scheme, bands, indicators

DECIDE = "catalog.decide"
ASSESSOR = "diskominfo"
TOP_GRADE = "Memuaskan"
HISTORY_MAX = 200


class AssessmentRefused(Forbidden):
    slug, title = "assessment-refused", "This caller may not assess the province"


@dataclass(frozen=True, slots=True)
class Sheet:
    """An index's indicators and bands, and the latest level of each in a year."""

    rows: Sequence[Indicator]
    indicators: list[Weighed]
    bands: list[Band]
    latest: dict[int, Assessment]

    @property
    def names(self) -> dict[int, str]:
        return {row.number: row.name for row in self.rows}

    @property
    def levels(self) -> dict[int, int]:
        return {number: row.level for number, row in self.latest.items()}

    @property
    def missing(self) -> list[int]:
        return [one.number for one in self.indicators if one.number not in self.latest]


async def assess(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    key: tuple[Scheme, int, int],
    given: dict[str, Any],
) -> Assessment:
    """Enters a level with its evidence; earlier ones stay. `key`: scheme, year, number.

    Raises: AssessmentRefused, FieldInvalid for an indicator that the scheme does not have.
    """
    scheme, year, number = key
    if not (caller.is_operator or (caller.agency == ASSESSOR and caller.has_scope(DECIDE))):
        raise AssessmentRefused(f"The coordinating team in {ASSESSOR} with scope {DECIDE} may.")
    if number not in {row.number for row in await indicators(session, scheme=scheme)}:
        raise FieldInvalid("/number", f"{scheme} has no such indicator.")
    row = Assessment(
        id=uuid7(), scheme=scheme, number=number, year=year, entered_by=str(caller.subject),
        entered_at=clock.now(), **given,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    return row


async def sheet(session: AsyncSession, *, scheme: Scheme, year: int) -> Sheet:
    rows = await indicators(session, scheme=scheme)
    weighed = [Weighed(row.number, row.aspect, row.domain, Fraction(row.weight)) for row in rows]
    scale = [
        # The SPBE bands leave their upper end to the next one; the others name it as theirs.
        Band(band.lower, band.upper, band.grade, scheme != "spbe" or band.grade == TOP_GRADE)
        for band in await bands(session, scale=scheme)
    ]
    query = (
        select(Assessment)
        .ext(distinct_on(Assessment.number))
        .where(Assessment.scheme == scheme, Assessment.year == year)
        .order_by(Assessment.number, Assessment.id.desc())
    )
    latest = {row.number: row for row in await session.scalars(query)}
    return Sheet(rows, weighed, scale, latest)


async def history(session: AsyncSession, *, scheme: Scheme, number: int) -> Sequence[Assessment]:
    """Every assessment of an indicator, the latest first."""
    query = (
        select(Assessment)
        .where(Assessment.scheme == scheme, Assessment.number == number)
        .order_by(Assessment.id.desc())
        .limit(HISTORY_MAX)
    )
    return (await session.scalars(query)).all()
