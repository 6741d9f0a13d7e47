"""SQL of seals; asked by the archive itself, for a caller whose right to the content is decided."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.reader import SecurityClass
from sebalai_archive.seals.model import ContentSeal

# The update takes the row's lock: a seal that is being destroyed is waited for, then made anew.
_KEEP = text("""
    INSERT INTO content_seal AS s
      (sha256, security_class, stored, size, key_id, wrapped_key, sealed_at, touched_at)
    VALUES (:sha256, :security_class, :stored, :size, :key_id, :wrapped_key, :at, :at)
    ON CONFLICT (sha256, security_class) DO UPDATE SET touched_at = excluded.touched_at,
      (stored, key_id, wrapped_key, sealed_at) = (
        SELECT one.stored, one.key_id, one.wrapped_key, one.sealed_at FROM (VALUES
          (excluded.stored, excluded.key_id, excluded.wrapped_key, excluded.sealed_at, true),
          (s.stored, s.key_id, s.wrapped_key, s.sealed_at, false)
        ) one (stored, key_id, wrapped_key, sealed_at, is_new)
        WHERE one.is_new = EXISTS (
          SELECT 1 FROM fixity f WHERE f.sha256 = s.stored AND f.state = 'lost'))
""")


async def keep(session: AsyncSession, values: Sequence[Mapping[str, Any]]) -> None:
    """An earlier seal of the same content and class stays, unless its bytes are known as lost."""
    await session.execute(_KEEP, values)


async def remove_unnamed(session: AsyncSession, before: datetime) -> None:
    """Seals of contents that nothing names, untouched since `before`."""
    await session.execute(
        text("""
            DELETE FROM content_seal s WHERE s.touched_at < :before AND NOT EXISTS (
              SELECT 1 FROM named_content n WHERE n.sha256 = s.sha256 AND n.stored = s.stored)
        """),
        {"before": before},
    )


async def find(
    session: AsyncSession, sha256: str, security_class: SecurityClass | None
) -> ContentSeal | None:
    """That of the class before any other."""
    query = select(ContentSeal).where(ContentSeal.sha256 == sha256)
    is_other = ContentSeal.security_class != security_class
    return await session.scalar(query.order_by(is_other, ContentSeal.security_class).limit(1))


async def hold(session: AsyncSession, record_id: UUID, sha256: str) -> ContentSeal | None:
    """The seal of a record's content, held until the transaction ends."""
    of_class = text("SELECT security_class FROM record WHERE id = :id")
    security_class = await session.scalar(of_class, {"id": record_id})
    query = select(ContentSeal).where(
        ContentSeal.sha256 == sha256, ContentSeal.security_class == security_class
    )
    return await session.scalar(query.with_for_update())


async def named(session: AsyncSession, stored: Sequence[str]) -> set[str]:
    """Which of these stored bytes anything names, or were sealed for a row that is to come."""
    found = await session.scalars(
        text("""
            SELECT stored FROM named_content WHERE stored = ANY(:stored) AND sha256 IN (
              SELECT unnest(:stored) UNION ALL
              SELECT s.sha256 FROM content_seal s WHERE s.stored = ANY(:stored))
        """),
        {"stored": list(stored)},
    )
    return set(found)


async def plain_above_public(
    session: AsyncSession, classes: Sequence[str], limit: int
) -> Sequence[Any]:
    """Contents that lie plain although their class has a key."""
    rows = await session.execute(
        text("""
            SELECT DISTINCT sha256, security_class, bytes FROM named_content
            WHERE NOT is_sealed AND security_class = ANY(:classes) LIMIT :limit
        """),
        {"classes": list(classes), "limit": limit},
    )
    return rows.all()


async def under_other_keys(
    session: AsyncSession, security_class: SecurityClass, key_id: str, limit: int
) -> Sequence[ContentSeal]:
    query = select(ContentSeal).where(
        ContentSeal.security_class == security_class, ContentSeal.key_id != key_id
    )
    return (await session.scalars(query.limit(limit).with_for_update(skip_locked=True))).all()
