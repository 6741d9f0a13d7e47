"""SQL of software; what is described is public."""

from collections.abc import Sequence
from typing import Any

from sebalai_shared.caller import Caller
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.software.model import Software


def visible_to(caller: Caller) -> Select[Software]:  # noqa: ARG001 - public
    return select(Software).where(Software.publiccode.is_not(None))


async def page(
    session: AsyncSession, caller: Caller, agency: str | None, after: str | None, limit: int
) -> Sequence[Software]:
    """Up to `limit + 1` by slug."""
    query = visible_to(caller).order_by(Software.slug).limit(limit + 1)
    if agency is not None:
        query = query.where(Software.agency == agency)
    if after is not None:
        query = query.where(Software.slug > after)
    return (await session.scalars(query)).all()


async def find(session: AsyncSession, caller: Caller, slug: str) -> Software | None:
    return await session.scalar(visible_to(caller).where(Software.slug == slug))


async def claim(session: AsyncSession, values: dict[str, Any]) -> bool:
    """False when the slug is taken; waits for a transaction that is taking it."""
    query = insert(Software).values(values).on_conflict_do_nothing().returning(Software.slug)
    return await session.scalar(query) is not None


async def hold(session: AsyncSession, slug: str) -> Software | None:
    """Locked to the transaction's end, the withdrawn too."""
    query = select(Software).where(Software.slug == slug).with_for_update()
    return await session.scalar(query)
