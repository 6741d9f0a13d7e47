"""SQL of examinations; asked by the archive itself, never by a caller."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.examinations.model import Examination

_RECORDS = text("""
    SELECT r.content_sha256, r.content_bytes FROM record r
    WHERE r.content_sha256 IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM examination e WHERE e.sha256 = r.content_sha256)
      AND NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.record_id = r.id)
    ORDER BY r.id DESC LIMIT :limit
""")
_LETTERS = text("""
    SELECT l.content_sha256, l.content_bytes FROM incoming_letter l
    WHERE l.channel = 'srikandi' AND l.content_sha256 IS NOT NULL AND l.record_id IS NULL
      AND NOT EXISTS (SELECT 1 FROM examination e WHERE e.sha256 = l.content_sha256)
    ORDER BY l.id DESC LIMIT :limit
""")


async def find(session: AsyncSession, sha256: str) -> Examination | None:
    return await session.get(Examination, sha256)


async def unexamined(session: AsyncSession, limit: int) -> Sequence[tuple[str, int]]:
    """Digests and sizes that a record, or a letter from outside, names and nobody looked into; the
    newest first.
    """
    found = dict[tuple[str, int], None]()
    for statement in (_RECORDS, _LETTERS):
        rows = await session.execute(statement, {"limit": limit})
        found |= dict.fromkeys((row.content_sha256, row.content_bytes) for row in rows)
    return list(found)[:limit]


async def forget(session: AsyncSession, sha256: str) -> None:
    await session.execute(
        text("DELETE FROM examination WHERE sha256 = :sha256"), {"sha256": sha256}
    )
