"""Makers of a thing with a name go one at a time, also while there is no row to lock yet."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def hold_name(session: AsyncSession, kind: str, name: str) -> None:
    """Waits until no other transaction holds that name; held until this one ends."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": f"{kind}:{name}"}
    )
