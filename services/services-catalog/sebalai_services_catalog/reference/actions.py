"""Decisions about the reference lists: list, load."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from sebalai_shared.caller import Caller
from sebalai_shared.reference import ReferenceFolder
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.reference import store
from sebalai_services_catalog.reference.model import (
    Audience,
    ComplaintDeadline,
    GradeBand,
    Indicator,
    KnownAgency,
    KnownRegion,
    Listed,
    RabSector,
    Scheme,
    SkmElement,
)

__all__ = ["Indicator", "KnownAgency", "Scheme"]

Row = TypeVar("Row", bound=Listed)
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """One file of the folder: the table it fills, the column its provenance is keyed by."""

    file: str
    table: type[Listed]
    key: str
    read: Callable[[dict[str, str]], Values]


async def list_rows(
    session: AsyncSession, *, caller: Caller, table: type[Row], after: int | None, limit: int
) -> Sequence[Row]:
    return await store.page(session, caller, table, after, limit)


async def complaint_limits(session: AsyncSession) -> dict[tuple[str, str], tuple[int, str]]:
    """(stage, category) → (number, days or working_days), from `complaint_deadlines`."""
    rows = await session.scalars(select(ComplaintDeadline))
    return {(row.stage, row.category): (row.limit, row.unit) for row in rows}


async def bands(session: AsyncSession, *, scale: str) -> Sequence[GradeBand]:
    """The bands of `spbe`, `pemdi` or `skm`, lowest first."""
    query = select(GradeBand).where(GradeBand.scale == scale).order_by(GradeBand.lower)
    return (await session.scalars(query)).all()


async def indicators(session: AsyncSession, *, scheme: Scheme) -> Sequence[Indicator]:
    query = select(Indicator).where(Indicator.scheme == scheme).order_by(Indicator.number)
    return (await session.scalars(query)).all()


async def elements(session: AsyncSession) -> Sequence[SkmElement]:
    return (await session.scalars(select(SkmElement).order_by(SkmElement.position))).all()


async def agency_names(session: AsyncSession) -> dict[str, KnownAgency]:
    """By slug, as the reference folder names them; a later renaming is identity's to tell."""
    rows = await session.scalars(select(KnownAgency).order_by(KnownAgency.position))
    return {row.slug: row for row in rows}


async def region_names(session: AsyncSession) -> dict[str, str]:
    """By Kemendagri code."""
    rows = await session.execute(select(KnownRegion.code, KnownRegion.name))
    return {row.code: row.name for row in rows}


async def load_lists(session: AsyncSession, *, folder: ReferenceFolder) -> dict[str, int]:
    """Rows read per file. Positions of a table that two files fill run on."""
    counts: dict[str, int] = {}
    filled: dict[type[Listed], int] = {}
    for source in SOURCES:
        rows = folder.rows(source.file)
        start = filled.get(source.table, 0) + 1
        values = [
            {"position": place, **source.read(row), **_marks(folder, source, row)}
            for place, row in enumerate(rows, start)
        ]
        await store.keep(session, source.table, values)
        filled[source.table] = start + len(rows) - 1
        counts[source.file] = len(rows)
    return counts


def _marks(folder: ReferenceFolder, source: Source, row: dict[str, str]) -> Values:
    mark = folder.provenance(source.file, row[source.key])
    return {"provenance_status": mark.status, "provenance_source": mark.source}


def _plain(row: dict[str, str]) -> Values:
    return dict(row)


def _indicator(scheme: Scheme) -> Callable[[dict[str, str]], Values]:
    def read(row: dict[str, str]) -> Values:
        domain_weight = row.get("domain_weight")
        return {
            "scheme": scheme,
            "number": int(row["number"]),
            "domain": row.get("domain"),
            "domain_weight": Decimal(domain_weight) if domain_weight else None,
            "aspect": row["aspect"],
            "aspect_weight": Decimal(row["aspect_weight"]),
            "name": row["indicator"],
            "weight": Decimal(row["weight"]),
            "kind": row.get("type"),
            "external_score_source": row.get("external_score_source") or None,
        }

    return read


def _band(row: dict[str, str]) -> Values:
    return {**row, "lower": Decimal(row["lower"]), "upper": Decimal(row["upper"])}


def _element(row: dict[str, str]) -> Values:
    weight = Fraction(row["weight_fraction"])
    return {
        "identifier": row["identifier"],
        "code": row["code"],
        "name": row["name"],
        "weight_numerator": weight.numerator,
        "weight_denominator": weight.denominator,
        "weight_rounded": Decimal(row["weight_rounded"]),
        "scale_min": int(row["scale_min"]),
        "scale_max": int(row["scale_max"]),
    }


def _agency(row: dict[str, str]) -> Values:
    # The slug as identity makes it, of the same column of the same file.
    slug = re.sub(r"[^a-z0-9]+", "-", row["short_name"].lower()).strip("-")
    return {"slug": slug, "name": row["name"], "short_name": row["short_name"]}


def _region(row: dict[str, str]) -> Values:
    return {name: row[name] for name in ("code", "name", "kind")}


def _deadline(row: dict[str, str]) -> Values:
    return {**row, "limit": int(row["limit"])}


SOURCES = (
    Source("agencies", KnownAgency, "code", _agency),
    Source("regions", KnownRegion, "code", _region),
    Source("audiences", Audience, "code", _plain),
    Source("rab_sectors", RabSector, "code", _plain),
    Source("spbe_indicators", Indicator, "number", _indicator("spbe")),
    Source("pemdi_indicators", Indicator, "number", _indicator("pemdi")),
    Source("grade_bands", GradeBand, "scale", _band),
    Source("skm_elements", SkmElement, "code", _element),
    Source("complaint_deadlines", ComplaintDeadline, "stage", _deadline),
)
