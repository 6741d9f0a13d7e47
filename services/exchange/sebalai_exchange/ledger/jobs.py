"""Timed work of the ledger."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

CHECKPOINTS_KEPT_DAYS = 90


async def forget_checkpoints(session: AsyncSession) -> None:
    """Drops signed checkpoints that later ones have long replaced; the latest of a log stays."""
    await session.execute(
        text(
            """
            DELETE FROM ledger_checkpoint c USING ledger_log l
            WHERE l.name = c.log AND c.size < l.size
              AND c.signed_at < now() - make_interval(days => :days)
            """
        ),
        {"days": CHECKPOINTS_KEPT_DAYS},
    )
