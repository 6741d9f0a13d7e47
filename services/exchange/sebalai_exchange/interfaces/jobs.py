"""Timed work of interfaces."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

UNPUBLISHED_KEPT_DAYS = 7


async def forget_unpublished(session: AsyncSession) -> None:
    """Contracts that were uploaded and never published. A published one is kept for good, because
    receipts name it.
    """
    await session.execute(
        text(
            """
            DELETE FROM contract c WHERE stored_at < now() - make_interval(days => :days)
              AND NOT EXISTS (SELECT FROM interface i WHERE i.contract_sha256 = c.sha256)
              AND NOT EXISTS (SELECT FROM interface_version v WHERE v.contract_sha256 = c.sha256)
            """
        ),
        {"days": UNPUBLISHED_KEPT_DAYS},
    )
