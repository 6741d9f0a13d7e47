"""SQL of acts. An auditor sees all; everybody else what they did themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acts.access import may_read_all
from sebalai_identity.acts.model import Act


@dataclass(frozen=True)
class ActFilter:
    subject: str | None = None
    actor: str | None = None
    act: str | None = None


def visible_to(caller: Caller) -> Select[Act]:
    query = select(Act)
    return query if may_read_all(caller) else query.where(Act.actor == caller.subject)


async def page(
    session: AsyncSession, caller: Caller, wanted: ActFilter, after: UUID | None, limit: int
) -> Sequence[Act]:
    """Up to `limit + 1` acts, the oldest first."""
    query = visible_to(caller).order_by(Act.id).limit(limit + 1)
    if after is not None:
        query = query.where(Act.id > after)
    for name in ("subject", "actor", "act"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(getattr(Act, name) == value)
    return (await session.scalars(query)).all()
