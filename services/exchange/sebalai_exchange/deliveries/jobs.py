"""Timed work of deliveries."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

ENDED_KEPT_DAYS = 90  # as long as the attempts


async def forget_ended(session: AsyncSession) -> None:
    """What a subscription still had open when it ended: nothing leads back from there."""
    await session.execute(
        text(
            "DELETE FROM delivery d USING subscription s WHERE s.id = d.subscription "
            "AND s.state = 'ended' AND s.changed_at < now() - make_interval(days => :days)"
        ),
        {"days": ENDED_KEPT_DAYS},
    )
