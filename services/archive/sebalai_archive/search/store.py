"""SQL of search. Metadata is matched in what the reader may know, text only in what it may open."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    MetaData,
    Table,
    Text,
    Uuid,
    and_,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.ext.asyncio import AsyncSession

TEXTS = Table(
    "record_text",
    MetaData(),
    Column("record_id", Uuid, primary_key=True),
    Column("label", Text),
    Column("meta", TSVECTOR),
    Column("meta_plain", TSVECTOR),
    Column("body", TSVECTOR),
    Column("body_plain", TSVECTOR),
    Column("excerpt", Text),
    Column("at", DateTime(timezone=True)),
)
TYPO_LENGTH_MIN = 4
MARKS = "StartSel=⟦, StopSel=⟧, MaxFragments=1, MaxWords=25, MinWords=8"


async def unindexed(session: AsyncSession, limit: int) -> Sequence[Any]:
    """Declared records whose content was examined and whose text stands in no index."""
    rows = await session.execute(
        text("""
            SELECT r.id, r.title, r.description, r.number, e.body FROM record r
            JOIN examination e ON e.sha256 = r.content_sha256
            WHERE r.state = 'declared'
              AND NOT EXISTS (SELECT 1 FROM record_text t WHERE t.record_id = r.id)
              AND NOT EXISTS (SELECT 1 FROM tombstone b WHERE b.record_id = r.id)
            ORDER BY r.id DESC LIMIT :limit
        """),
        {"limit": limit},
    )
    return rows.all()


async def keep(session: AsyncSession, values: dict[str, Any]) -> None:
    await session.execute(
        text("""
            INSERT INTO record_text
              (record_id, label, meta, meta_plain, body, body_plain, excerpt, at)
            VALUES (:id, :label, to_tsvector('simple', :meta), to_tsvector('simple', :meta_plain),
                    to_tsvector('simple', :body), to_tsvector('simple', :body_plain), :excerpt, :at)
            ON CONFLICT (record_id) DO NOTHING
        """),
        values,
    )


async def forget(session: AsyncSession, record_id: object) -> None:
    await session.execute(text("DELETE FROM record_text WHERE record_id = :id"), {"id": record_id})


async def find(
    session: AsyncSession,
    walls: tuple[ColumnElement[bool], ColumnElement[bool]],
    record: Any,
    words: dict[str, str],
    limit: int,
) -> Sequence[Any]:
    """Up to `limit + 1` newest matches with their rank. `walls`: may know, may open."""
    known, opened = walls
    stems = func.plainto_tsquery("simple", words["stemmed"])
    exact = func.websearch_to_tsquery("simple", words["raw"])
    t = TEXTS.c
    named = or_(t.meta.op("@@")(stems), t.meta_plain.op("@@")(exact))
    if len(words["raw"]) >= TYPO_LENGTH_MIN:
        named = or_(named, t.label.op("%>")(words["raw"]))
    held = or_(t.body.op("@@")(stems), t.body_plain.op("@@")(exact))
    rank = func.ts_rank(t.meta, stems) * 4 + func.ts_rank(t.body, stems)
    nearness = func.word_similarity(words["raw"], t.label)
    query = (
        select(
            record.id,
            record.agency,
            record.title,
            record.number,
            record.classification_code,
            record.security_class,
            func.coalesce(func.extract("year", record.dated), 0).label("year"),
            opened.label("is_open"),
            (rank + nearness).label("rank"),
        )
        .join(TEXTS, t.record_id == record.id)
        .where(or_(and_(known, named), and_(opened, held)))
        .order_by(record.id.desc())
        .limit(limit + 1)
    )
    return (await session.execute(query)).all()


async def snippets(
    session: AsyncSession, ids: Sequence[object], words: dict[str, str]
) -> dict[object, str]:
    """Text around the words, for records that the reader may open."""
    exact = func.plainto_tsquery("simple", words["plain"])
    query = select(
        TEXTS.c.record_id, func.ts_headline("simple", TEXTS.c.excerpt, exact, MARKS)
    ).where(TEXTS.c.record_id.in_(ids))
    return {row[0]: row[1] for row in await session.execute(query)}
