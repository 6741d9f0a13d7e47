"""SQL of fixity; asked by the archive itself and, for figures, by the operator."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def enrol(session: AsyncSession, limit: int) -> int:
    """Content that records name and fixity does not know yet."""
    done = await session.execute(
        text("""
            INSERT INTO fixity (sha256)
            SELECT DISTINCT r.content_sha256 FROM (
              SELECT content_sha256, id FROM record UNION ALL
              SELECT content_sha256, record_id FROM signature_revision WHERE place > 1) r
            WHERE r.content_sha256 IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM fixity f WHERE f.sha256 = r.content_sha256)
              AND NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.record_id = r.id)
            LIMIT :limit ON CONFLICT DO NOTHING RETURNING sha256
        """),
        {"limit": limit},
    )
    return len(done.all())


async def oldest(session: AsyncSession, limit: int) -> Sequence[str]:
    """The longest unverified first; content no record names any more is left out."""
    rows = await session.scalars(
        text("""
            SELECT f.sha256 FROM fixity f
            WHERE EXISTS (SELECT 1 FROM record r WHERE r.content_sha256 = f.sha256
              AND NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.record_id = r.id))
            OR EXISTS (SELECT 1 FROM signature_revision r WHERE r.content_sha256 = f.sha256
              AND NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.record_id = r.record_id))
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
                  coalesce(extract(epoch FROM CAST(:now AS timestamptz) - min(verified_at)), 0)
                    AS oldest_seconds
                FROM fixity
            """),
            {"now": now},
        )
    ).one()


async def forget(session: AsyncSession, sha256: str) -> None:
    await session.execute(text("DELETE FROM fixity WHERE sha256 = :sha256"), {"sha256": sha256})
