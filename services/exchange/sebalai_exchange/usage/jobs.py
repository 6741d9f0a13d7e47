"""Timed work of the list of calls."""

from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.usage import counts, store

CALLS_KEPT_DAYS = 400


async def forget_calls(session: AsyncSession) -> None:
    """The list is for looking things up; the ledger keeps the evidence. A deviation goes that long
    after it was last seen.
    """
    await store.sweep(session, CALLS_KEPT_DAYS)
    await counts.sweep(session, CALLS_KEPT_DAYS)
