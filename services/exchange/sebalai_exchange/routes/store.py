"""SQL of the routing version and its signed snapshots.

Triggers raise the version in the transaction that changes an interface or an agreement; holding
its row shared while compiling keeps version and content together.
"""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

SNAPSHOTS_KEPT = 5


async def version(session: AsyncSession) -> int:
    found = await session.scalar(text("SELECT version FROM routes_version"))
    return int(found or 0)


async def hold_version(session: AsyncSession) -> int:
    """The version, which no other transaction raises before this one ends."""
    found = await session.scalar(text("SELECT version FROM routes_version FOR SHARE"))
    return int(found or 0)


async def snapshot(session: AsyncSession, number: int) -> str | None:
    return await session.scalar(
        text("SELECT jws FROM routes_snapshot WHERE version = :version"), {"version": number}
    )


async def keep(session: AsyncSession, number: int, jws: str, at: datetime) -> str:
    """Keeps the first snapshot of a version, forgets old ones, answers what is kept."""
    await session.execute(
        text(
            "INSERT INTO routes_snapshot (version, jws, compiled_at) VALUES (:version, :jws, :at) "
            "ON CONFLICT DO NOTHING"
        ),
        {"version": number, "jws": jws, "at": at},
    )
    await session.execute(
        text("DELETE FROM routes_snapshot WHERE version <= :oldest"),
        {"oldest": number - SNAPSHOTS_KEPT},
    )
    return await snapshot(session, number) or jws
