"""SQL of government affairs. The list is public: `visible_to` hides nothing from anyone."""

from collections.abc import Mapping, Sequence
from typing import Any

from sebalai_shared.caller import Caller
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.affairs.model import Affair
from sebalai_identity.reference import Counts, bring


def visible_to(_: Caller) -> Select[Affair]:
    return select(Affair)


async def page(
    session: AsyncSession, caller: Caller, after: str | None, limit: int
) -> Sequence[Affair]:
    """Up to `limit + 1` in the order of code."""
    query = visible_to(caller).order_by(Affair.code).limit(limit + 1)
    if after is not None:
        query = query.where(Affair.code > after)
    return (await session.scalars(query)).all()


async def keep(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> Counts:
    return await bring(session, Affair, "code", rows)
