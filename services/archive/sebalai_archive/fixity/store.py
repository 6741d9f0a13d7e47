"""SQL of fixity; asked by the archive itself and, for figures, by the operator."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def enrol(session: AsyncSession, limit: int) -> int:
    """Stored bytes that something names and fixity does not know yet."""
    done = await session.execute(
        text("""
            INSERT INTO fixity (sha256) SELECT DISTINCT n.stored FROM named_content n
            WHERE NOT EXISTS (SELECT 1 FROM fixity f WHERE f.sha256 = n.stored)
            LIMIT :limit ON CONFLICT DO NOTHING RETURNING sha256
        """),
        {"limit": limit},
    )
    return len(done.all())


async def oldest(session: AsyncSession, limit: int) -> Sequence[str]:
    """The longest unverified first; what nothing names any more is left out."""
    rows = await session.scalars(
        text("""
            SELECT f.sha256 FROM fixity f
            WHERE f.sha256 IN (SELECT n.stored FROM named_content n)
            ORDER BY f.verified_at NULLS FIRST, f.sha256 LIMIT :limit
        """),
        {"limit": limit},
    )
    return rows.all()


async def keep(session: AsyncSession, values: dict[str, Any]) -> None:
    await session.execute(
        text("""
            UPDATE fixity SET verified_at = :at, state = :state,
              replicated_at = CASE WHEN :replicated THEN :at ELSE replicated_at END
            WHERE sha256 = :sha256
        """),
        values,
    )


async def tell(session: AsyncSession, values: dict[str, Any]) -> None:
    await session.execute(
        text(
            "INSERT INTO fixity_event (id, sha256, at, kind, note) "
            "VALUES (:id, :sha256, :at, :kind, :note)"
        ),
        values,
    )


async def figures(session: AsyncSession, now: datetime) -> Any:
    return (
        await session.execute(
            text("""
                SELECT count(*) AS contents, count(*) FILTER (WHERE verified_at IS NULL) AS never,
                  count(*) FILTER (WHERE state = 'lost') AS lost,
                  count(*) FILTER (WHERE replicated_at IS NULL) AS unreplicated,
                  (SELECT count(DISTINCT sha256) FROM named_content
                    WHERE NOT is_sealed AND security_class <> 'biasa') AS unsealed,
                  coalesce(extract(epoch FROM CAST(:now AS timestamptz) - min(verified_at)), 0)
                    AS oldest_seconds
                FROM fixity
            """),
            {"now": now},
        )
    ).one()


async def forget(session: AsyncSession, sha256: str) -> None:
    await session.execute(text("DELETE FROM fixity WHERE sha256 = :sha256"), {"sha256": sha256})
