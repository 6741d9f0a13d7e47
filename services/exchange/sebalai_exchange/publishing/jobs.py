"""Timed work of publishing."""

from sebalai_shared.clock import SystemClock
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.publishing.actions import forget_repetitions
from sebalai_exchange.publishing.forgetting import forget_month

FORGOTTEN_A_PASS = 10_000


async def forget_events(session: AsyncSession) -> bool:
    """One month of events whose time is over; True when there may be more to forget."""
    return await forget_month(session, SystemClock()) is not None


async def forget_seen(session: AsyncSession) -> bool:
    """A repetition is known as long as the event is kept; True when there may be more to forget."""
    gone = await forget_repetitions(session, SystemClock(), limit=FORGOTTEN_A_PASS)
    return gone == FORGOTTEN_A_PASS
