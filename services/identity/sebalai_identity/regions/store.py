"""SQL of regions. The list is public: `visible_to` hides nothing from anyone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sebalai_shared.caller import Caller
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.reference import Counts, bring
from sebalai_identity.regions.model import Region


@dataclass(frozen=True)
class RegionFilter:
    """`parent` is a Kemendagri code; `bps` a BPS code: 19.03 here is 1905 there."""

    kind: str | None = None
    parent: str | None = None
    kemendagri: str | None = None
    bps: str | None = None


def visible_to(_: Caller) -> Select[Region]:
    return select(Region)


async def page(
    session: AsyncSession, caller: Caller, wanted: RegionFilter, after: str | None, limit: int
) -> Sequence[Region]:
    """Up to `limit + 1` regions by Kemendagri code."""
    query = visible_to(caller).order_by(Region.kemendagri_code).limit(limit + 1)
    if after is not None:
        query = query.where(Region.kemendagri_code > after)
    asked = {
        Region.kind: wanted.kind,
        Region.parent_code: wanted.parent,
        Region.kemendagri_code: wanted.kemendagri,
        Region.bps_code: wanted.bps,
    }
    for column, value in asked.items():
        if value is not None:
            query = query.where(column == value)
    return (await session.scalars(query)).all()


async def keep(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> Counts:
    return await bring(session, Region, "kemendagri_code", rows)
