"""SQL of civil service ranks. The list is public: `visible_to` hides nothing from anyone."""

from collections.abc import Mapping, Sequence
from typing import Any

from sebalai_shared.caller import Caller
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.ranks.model import Rank
from sebalai_identity.reference import Counts, bring


def visible_to(_: Caller) -> Select[Rank]:
    return select(Rank)


async def page(
    session: AsyncSession, caller: Caller, after: int | None, limit: int
) -> Sequence[Rank]:
    """Up to `limit + 1` in the order of position."""
    query = visible_to(caller).order_by(Rank.position).limit(limit + 1)
    if after is not None:
        query = query.where(Rank.position > after)
    return (await session.scalars(query)).all()


async def keep(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> Counts:
    return await bring(session, Rank, "grade", rows)
