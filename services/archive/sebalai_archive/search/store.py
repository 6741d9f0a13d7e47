"""SQL of search. Metadata is matched in what the reader may know, text only in what it may open.

`record_text` has no row security (an index cannot serve below it): only `find` reads it, joined to
`record`, which has.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
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
    Column("place", BigInteger),
)
EXCERPTS = Table(
    "record_excerpt",
    TABLES,
    Column("record_id", Uuid, primary_key=True),
    Column("excerpt", Text),
)
MARKS = "StartSel=⟦, StopSel=⟧, MaxFragments=1, MaxWords=25, MinWords=8"
SIMILAR = 0.4
READERS_KEPT = 1_024
OR = "or"  # means something to `websearch_to_tsquery`, and is no stop word of ours


Walls = tuple[ColumnElement[bool], ColumnElement[bool]]
"""What the reader may know, what it may open."""


_STEMS = func.plainto_tsquery("simple", bindparam("stemmed", type_=Text))
_EXACT = func.websearch_to_tsquery("simple", bindparam("raw", type_=Text))


@dataclass(frozen=True, slots=True)
class Words:
    """A query as it came, its words as they stand, and their stems."""

    raw: str
    plain: str
    stemmed: str

    @property
    def is_plain(self) -> bool:
        """Whether the query is nothing but words that are their own stems."""
        given = self.raw.lower().split()
        return given == self.stemmed.split() and OR not in given


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


async def newest_place(session: AsyncSession) -> int:
    """Place of the text indexed last; 0 without any. From here on each statement of the transaction
    is planned for its own words: how often they occur decides by which index they are found.
    """
    found = await session.scalar(
        text("""
            SELECT (SELECT max(place) FROM record_text),
                   set_config('plan_cache_mode', 'force_custom_plan', true)
        """)
    )
    return found or 0


@dataclass(frozen=True, slots=True)
class Looking:
    """Behind which place, at how many hits of anybody, for how many candidates."""

    behind: int
    hits: int
    candidates: int


async def find(
    session: AsyncSession, walls: Walls, record: Any, words: Words, looking: Looking
) -> tuple[Sequence[Any], bool]:
    """The newest matches with their rank, and whether no hits behind that place were left out."""
    named = {"raw": words.raw, "stemmed": words.stemmed, **asdict(looking)}
    rows = (await session.execute(_finding(walls, record, words.is_plain), named)).all()
    return [row for row in rows if row.id is not None], rows[0].seen < looking.hits


# To put the statement together costs as much as to send it, so those of the same reader are kept:
# its walls are the same objects each time (`records.store`).
@lru_cache(READERS_KEPT)
def _finding(walls: Walls, record: Any, is_plain: bool) -> Select[Any]:  # noqa: FBT001 - a key of the cache
    """Takes `raw`, `stemmed` and the fields of `Looking`."""
    known, opened = walls
    hits = _hits(is_plain)
    rank = func.ts_rank(hits.c.meta, _STEMS) * 4 + func.ts_rank(hits.c.body, _STEMS)
    # Costly (16 µs a label, fifteen times a rank): only where the label is what was found.
    similarity = func.word_similarity(bindparam("raw", type_=Text), hits.c.label)
    nearness = case((hits.c.named, similarity), else_=0.0)
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
        .order_by(hits.c.place.desc())
        .limit(bindparam("candidates", type_=Integer))
        .subquery("matches")
    )
    seen = select(func.count().label("seen")).select_from(hits).subquery("seen")
    return select(seen.c.seen, matches).select_from(seen.outerjoin(matches, true()))


def _hits(is_plain: bool) -> CTE:  # noqa: FBT001 - as above
    """Texts that any word index has, the newest first."""
    t = TEXTS.c
    found = or_(_named(t, is_plain), _held(t, is_plain))
    # The fence (OFFSET) keeps the planner from walking the places from the newest on until it has
    # hits enough: what it takes that to cost is a tenth of the truth.
    behind = bindparam("behind", type_=BigInteger)
    f = select(TEXTS).where(t.place > behind, found).offset(0).subquery("fenced").c
    named, held = _named(f, is_plain).label("named"), _held(f, is_plain).label("held")
    return (
        select(f.place, f.record_id, f.label, f.meta, f.body, named, held)
        .order_by(f.place.desc())
        .limit(bindparam("hits", type_=Integer))
        .cte("hits")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )


def _named(of: Any, is_plain: bool) -> ColumnElement[bool]:  # noqa: FBT001 - as above
    return _has(of.meta, of.meta_plain, is_plain)


def _held(of: Any, is_plain: bool) -> ColumnElement[bool]:  # noqa: FBT001 - as above
    return _has(of.body, of.body_plain, is_plain)


def _has(stems: Any, words: Any, is_plain: bool) -> ColumnElement[bool]:  # noqa: FBT001 - as above
    """Of words that are their own stems the unstemmed index has none that the stemmed has not."""
    by_stems = stems.op("@@")(_STEMS)
    return by_stems if is_plain else or_(by_stems, words.op("@@")(_EXACT))


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
