"""SQL of recognition; asked by the archive itself, never by a caller."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def next_waiting(session: AsyncSession) -> tuple[str, int] | None:
    """Digest and size of the scan that waits longest and that a record still names."""
    row = (
        await session.execute(
            text("""
                SELECT e.sha256, r.content_bytes FROM examination e
                JOIN record r ON r.content_sha256 = e.sha256
                WHERE e.recognition = 'waiting'
                  AND NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.record_id = r.id)
                ORDER BY e.at, e.sha256 LIMIT 1
            """)
        )
    ).one_or_none()
    return (row.sha256, row.content_bytes) if row else None


async def keep(session: AsyncSession, sha256: str, values: Mapping[str, object]) -> None:
    """Only while it waits: what was destroyed meanwhile has no row, and gets no text."""
    await session.execute(
        text("""
            UPDATE examination SET recognition = :outcome, recognised_pages = :pages,
              state = CASE WHEN CAST(:body AS text) IS NULL THEN state ELSE 'text' END,
              body = coalesce(CAST(:body AS text), body)
            WHERE sha256 = :sha256 AND recognition = 'waiting'
        """),
        {"sha256": sha256, **values},
    )
