"""What the platform itself measures of an indicator: evidence for an assessment, never a level.

Which figure bears on which indicator is said in `measured.toml` and is this project's own proposal.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from sebalai_shared.caller import ANONYMOUS
from sebalai_shared.clock import Clock
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.apis import actions as apis
from sebalai_services_catalog.complaints import actions as complaints
from sebalai_services_catalog.datasets import actions as datasets
from sebalai_services_catalog.evidence import actions as evidence
from sebalai_services_catalog.performance import actions as performance
from sebalai_services_catalog.performance.actions import Performance, moments, percent, share
from sebalai_services_catalog.processing import actions as processing
from sebalai_services_catalog.reference.actions import Scheme

GOOD_GRADES = ("A", "B")
_FILE = Path(__file__).with_name("measured.toml")


class Words(BaseModel):
    id: str
    en: str


class Measure(BaseModel):
    """`spbe`, `pemdi`: numbers of the indicators it bears on; `source`: where it is read."""

    model_config = ConfigDict(extra="forbid")

    title: Words
    unit: str = "count"
    source: str
    spbe: list[int]
    pemdi: list[int]

    def of(self, scheme: Scheme) -> list[int]:
        return self.spbe if scheme == "spbe" else self.pemdi


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` as text, null where nothing was counted."""

    code: str
    measure: Measure
    value: str | None


@cache
def measures() -> Mapping[str, Measure]:
    described = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {code: Measure.model_validate(said) for code, said in described.items()}


async def figures(
    session: AsyncSession, clock: Clock, *, scheme: Scheme, period: tuple[date, date]
) -> dict[int, list[Figure]]:
    """By indicator, of a period (both days in it); the bus's own are always of the last 30 days,
    what the processing register holds is of now.
    """
    values = await _values(session, clock, period)
    found: dict[int, list[Figure]] = {}
    for code, measure in measures().items():
        for number in measure.of(scheme):
            found.setdefault(number, []).append(Figure(code, measure, values[code]))
    return found


async def _values(
    session: AsyncSession, clock: Clock, period: tuple[date, date]
) -> dict[str, str | None]:
    times = moments(period)
    bus = await apis.use(session)
    measured = await performance.measure(session, period=period, service=None)
    register = await processing.coverage(session, now=clock.now())
    handled = await complaints.count_handled(session, period=times)
    return {
        "calls": str(bus.calls),
        "interfaces": str(bus.interfaces),
        "interfaces_used": str(bus.used),
        **_of_services(measured),
        "complaints": str(handled.received),
        "complaints_answered": percent(share(handled.in_time, handled.received - handled.in_time)),
        "consents": str(await evidence.count_consents(session, period=times)),
        "processing_recorded": percent(register.whole),
        "disclosures": str(register.disclosures),
        "datasets": str(await datasets.count_published(session, caller=ANONYMOUS)),
    }


def _of_services(measured: Performance) -> dict[str, str | None]:
    volumes, scores = measured.volumes, list(measured.scores.values())
    good = sum(one.grade in GOOD_GRADES for one in scores)
    on_time = share(sum(one.on_time for one in volumes), sum(one.late for one in volumes))
    satisfied: Fraction | None = share(good, len(scores) - good)
    return {
        "requests": str(sum(one.submitted for one in volumes)),
        "on_time": percent(on_time),
        "respondents": str(sum(one.respondents for one in scores)),
        "satisfied": percent(satisfied),
    }
