"""SQL of agencies. The list is public: `visible_to` hides nothing from anyone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.agencies.model import Agency, AgencyName
from sebalai_identity.reference import Counts, bring

FORMER_NAMES_MAX = 100


@dataclass(frozen=True)
class AgencyFilter:
    """`at` asks for those in force on that day; `q` is part of a name."""

    kind: str | None = None
    q: str | None = None
    at: date | None = None


def visible_to(_: Caller) -> Select[Agency]:
    return select(Agency)


async def page(
    session: AsyncSession, caller: Caller, wanted: AgencyFilter, after: str | None, limit: int
) -> Sequence[Agency]:
    """Up to `limit + 1` agencies by slug."""
    query = visible_to(caller).order_by(Agency.slug).limit(limit + 1)
    if after is not None:
        query = query.where(Agency.slug > after)
    if wanted.kind is not None:
        query = query.where(Agency.kind == wanted.kind)
    if wanted.q is not None:
        names = (Agency.name, Agency.short_name, Agency.slug)
        query = query.where(or_(*(name.icontains(wanted.q, autoescape=True) for name in names)))
    if wanted.at is not None:
        query = query.where(
            or_(Agency.valid_from.is_(None), Agency.valid_from <= wanted.at),
            or_(Agency.valid_to.is_(None), Agency.valid_to > wanted.at),
        )
    return (await session.scalars(query)).all()


async def by_slug(session: AsyncSession, caller: Caller, slug: str) -> Agency | None:
    return await session.scalar(visible_to(caller).where(Agency.slug == slug))


async def slugs(session: AsyncSession, ids: set[UUID]) -> dict[UUID, str]:
    rows = await session.execute(select(Agency.id, Agency.slug).where(Agency.id.in_(ids)))
    return {row.id: row.slug for row in rows}


async def by_slugs(session: AsyncSession, wanted: Collection[str]) -> Sequence[Agency]:
    return (await session.scalars(select(Agency).where(Agency.slug.in_(wanted)))).all()


async def lock(session: AsyncSession, slug: str) -> Agency | None:
    query = select(Agency).where(Agency.slug == slug).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))


async def renamed(session: AsyncSession) -> set[str]:
    return set(await session.scalars(select(AgencyName.agency).distinct()))


async def former_names(session: AsyncSession, slug: str) -> Sequence[AgencyName]:
    query = select(AgencyName).where(AgencyName.agency == slug).order_by(AgencyName.until)
    return (await session.scalars(query.limit(FORMER_NAMES_MAX))).all()


async def keep(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> Counts:
    return await bring(session, Agency, "slug", rows)


async def place_under(session: AsyncSession, child: str, parent: str) -> None:
    above = select(Agency.id).where(Agency.slug == parent).scalar_subquery()
    await session.execute(
        update(Agency)
        .where(Agency.slug == child, Agency.parent_id.is_distinct_from(above))
        .values(parent_id=above)
    )
