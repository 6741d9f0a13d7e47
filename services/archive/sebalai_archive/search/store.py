"""SQL of search. Metadata is matched in what the reader may know, text only in what it may open.

`record_text` has no row security (an index cannot serve below it): only `find` reads it, joined to
`record`, which has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
    true,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.ext.asyncio import AsyncSession

TABLES = MetaData()
TEXTS = Table(
    "record_text",
    TABLES,
    Column("record_id", Uuid, primary_key=True),
    Column("label", Text),
    Column("meta", TSVECTOR),
    Column("meta_plain", TSVECTOR),
    Column("body", TSVECTOR),
    Column("body_plain", TSVECTOR),
    Column("at", DateTime(timezone=True)),
)
EXCERPTS = Table(
    "record_excerpt",
    TABLES,
    Column("record_id", Uuid, primary_key=True),
    Column("excerpt", Text),
)
MARKS = "StartSel=⟦, StopSel=⟧, MaxFragments=1, MaxWords=25, MinWords=8"
SIMILAR = 0.4


Walls = tuple[ColumnElement[bool], ColumnElement[bool]]
"""What the reader may know, what it may open."""


@dataclass(frozen=True, slots=True)
class Words:
    """A query as it came, its words as they stand, and their stems."""

    raw: str
    plain: str
    stemmed: str


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
    """`words` are those of the title that typing errors are mended by."""
    for statement in (
        """
        INSERT INTO record_text (record_id, label, meta, meta_plain, body, body_plain, at)
        VALUES (:id, :label, to_tsvector('simple', :meta), to_tsvector('simple', :meta_plain),
                to_tsvector('simple', :body), to_tsvector('simple', :body_plain), :at)
        ON CONFLICT (record_id) DO NOTHING
        """,
        """
        INSERT INTO record_excerpt (record_id, excerpt) VALUES (:id, :excerpt)
        ON CONFLICT (record_id) DO NOTHING
        """,
        "INSERT INTO title_word SELECT unnest(CAST(:words AS text[])) ON CONFLICT DO NOTHING",
    ):
        await session.execute(text(statement), values)


async def forget(session: AsyncSession, record_id: object) -> None:
    for table in ("record_text", "record_excerpt"):
        await session.execute(
            text(f"DELETE FROM {table} WHERE record_id = :id"),  # noqa: S608 - names of ours
            {"id": record_id},
        )


async def forget_content(session: AsyncSession, sha256: str) -> None:
    for table in ("record_text", "record_excerpt"):
        await session.execute(
            text(f"""
                DELETE FROM {table} USING record r
                WHERE r.id = {table}.record_id AND r.content_sha256 = :sha256
            """),  # noqa: S608 - names of ours
            {"sha256": sha256},
        )


async def find(
    session: AsyncSession,
    walls: Walls,
    record: Any,
    words: Words,
    limits: tuple[int, int],
) -> tuple[Sequence[Any], bool]:
    """The newest matches with their rank, at most `limits[1]`, among the `limits[0]` newest hits
    of anybody; and whether those were all hits.
    """
    known, opened = walls
    stems = func.plainto_tsquery("simple", words.stemmed)
    exact = func.websearch_to_tsquery("simple", words.raw)
    t = TEXTS.c
    named = or_(t.meta.op("@@")(stems), t.meta_plain.op("@@")(exact))
    held = or_(t.body.op("@@")(stems), t.body_plain.op("@@")(exact))
    hits = (
        select(t.record_id, t.label, t.meta, t.body, named.label("named"), held.label("held"))
        .where(or_(named, held))
        .order_by(t.record_id.desc())
        .limit(limits[0])
        .cte("hits")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    rank = func.ts_rank(hits.c.meta, stems) * 4 + func.ts_rank(hits.c.body, stems)
    nearness = func.word_similarity(words.raw, hits.c.label)
    matches = (
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
        .join(hits, hits.c.record_id == record.id)
        .where(or_(and_(known, hits.c.named), and_(opened, hits.c.held)))
        .order_by(record.id.desc())
        .limit(limits[1])
        .subquery("matches")
    )
    seen = select(func.count().label("seen")).select_from(hits).subquery("seen")
    query = select(seen.c.seen, matches).select_from(seen.outerjoin(matches, true()))
    rows = (await session.execute(query.order_by(matches.c.id.desc()))).all()
    return [row for row in rows if row.id is not None], rows[0].seen < limits[0]


async def similar(session: AsyncSession, word: str) -> str | None:
    """The word of titles that is nearest to one that stands in none; itself when it does."""
    await session.execute(
        text("SELECT set_config('pg_trgm.similarity_threshold', :least, true)"),
        {"least": str(SIMILAR)},
    )
    return await session.scalar(
        text("""
            SELECT word FROM title_word WHERE word % :word
            ORDER BY similarity(word, :word) DESC, word LIMIT 1
        """),
        {"word": word},
    )


async def snippets(session: AsyncSession, ids: Sequence[object], words: Words) -> dict[object, str]:
    """Text around the words, for records that the reader may open."""
    exact = func.plainto_tsquery("simple", words.plain)
    query = select(
        EXCERPTS.c.record_id, func.ts_headline("simple", EXCERPTS.c.excerpt, exact, MARKS)
    ).where(EXCERPTS.c.record_id.in_(ids))
    return {row[0]: row[1] for row in await session.execute(query)}
