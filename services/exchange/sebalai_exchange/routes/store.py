"""SQL of the routing version and its signed whole snapshots.

Triggers raise the version in the transaction that changes what is routed, and hold its row until
that ends: versions become visible in their order, so whoever reads version n reads all before it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

SNAPSHOTS_KEPT = 3


@dataclass(frozen=True)
class Present:
    """`whole_since`: who knows an older version must take the whole table, not what changed."""

    version: int
    whole_since: int


@dataclass(frozen=True)
class Kept:
    version: int
    jws: str


async def version(session: AsyncSession) -> Present:
    query = text("SELECT version, whole_since FROM routes_version")
    row = (await session.execute(query)).one()
    return Present(int(row.version), int(row.whole_since))


async def pass_over(session: AsyncSession, known: int) -> Present:
    """Goes on above `known`, from where all take the whole table anew."""
    await session.execute(
        text(
            "UPDATE routes_version SET version = :known + 1, whole_since = :known + 1"
            " WHERE version < :known"
        ),
        {"known": known},
    )
    return await version(session)


async def newest(session: AsyncSession) -> Kept | None:
    query = text("SELECT version, jws FROM routes_snapshot ORDER BY version DESC LIMIT 1")
    row = (await session.execute(query)).one_or_none()
    return Kept(int(row.version), row.jws) if row else None


async def is_larger(session: AsyncSession, agreements: int) -> bool:
    """Whether more than so many agreements are routed."""
    query = text(
        "SELECT count(*) FROM (SELECT FROM agreement WHERE state = 'granted' LIMIT :limit) AS found"
    )
    return int(await session.scalar(query, {"limit": agreements + 1}) or 0) > agreements


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
        text(
            "DELETE FROM routes_snapshot WHERE version NOT IN "
            "(SELECT version FROM routes_snapshot ORDER BY version DESC LIMIT :kept)"
        ),
        {"kept": SNAPSHOTS_KEPT},
    )
    query = text("SELECT jws FROM routes_snapshot WHERE version = :version")
    return await session.scalar(query, {"version": number}) or jws
