"""How much each interface and each agreement is used: counts by day, and never a single call.

A use is a call that the provider answered. Days are UTC, as the ledger's.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.problems import Forbidden
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.usage import access, counts
from sebalai_exchange.usage.counts import Use

USED = "answered"
COUNTED_DAYS = 30


class IdleRefused(Forbidden):
    slug, title = "idle-agreements-refused", "This view is for heads of agencies"


async def count_uses(
    session: AsyncSession, *, rows: Sequence[Mapping[str, Any]], added: set[UUID]
) -> None:
    """Adds those of the noted calls that are new and were answered under an agreement."""
    uses = Counter[Use]()
    for row in {row["message_id"]: row for row in rows}.values():
        named = (row["interface"], row["consumer"], row["agreement"])
        if row["message_id"] in added and row["outcome"] == USED and all(named):
            uses[(*named, row["at"].date())] += 1
    if uses:
        await counts.add(session, uses)


async def uses(
    session: AsyncSession, clock: Clock, *, after: str | None, limit: int
) -> Sequence[Any]:
    """Up to `limit + 1` interfaces by name, with their uses of the last COUNTED_DAYS days."""
    return await counts.by_interface(session, _days_ago(clock, COUNTED_DAYS), after, limit)


async def idle_agreements(
    session: AsyncSession, clock: Clock, *, caller: Caller, days: int, span: tuple[UUID | None, int]
) -> Sequence[Any]:
    """In force for `days` or longer and unused as long; up to `limit + 1` of `span` (after, limit).

    Raises: IdleRefused.
    """
    house = access.house_of_idle(caller)
    if house is None:
        raise IdleRefused(f"It needs scope {access.LEAD} or {access.MANAGE}.")
    return await counts.idle(session, clock.now(), days, house, span)


def _days_ago(clock: Clock, days: int) -> date:
    return clock.now().date() - timedelta(days=days)
