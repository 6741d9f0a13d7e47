"""Decisions about search: what is indexed, what a reader finds, in a bounded set of candidates."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.reader import enter_as_worker
from sebalai_archive.records import actions as records
from sebalai_archive.search import stemming, store
from sebalai_archive.search.schema import Facet, Hit, SearchRead
from sebalai_archive.search.store import Looking, Walls, Words
from sebalai_archive.standing import actions as standing

CANDIDATES = 500
FIRST_WINDOW = 2_000
CANDIDATES_ENOUGH = 250
WIDER_LEAST = 4
HITS_LOOKED_AT = 50_000
MEND_BELOW = 5
MENDED_WORDS_MAX = 6
INDEX_A_PASS = 100
EXCERPT_CHARACTERS = 20_000
FACET_VALUES = 10


async def search_records(
    session: AsyncSession, clock: Clock, *, caller: Caller, query: str, limit: int
) -> SearchRead:
    """The best of the newest matches, within what the caller may know and open."""
    reader = await standing.enter_as(session, clock, caller)
    walls = records.known_to(reader), records.open_to(reader)
    words = await asyncio.to_thread(_words, query)
    newest = await store.newest_place(session)
    rows, is_complete = await _found(session, walls, words, newest)
    if len(rows) < MEND_BELOW and (mended := await _mended(session, words)):
        known = {row.id for row in rows}
        more, _ = await _found(session, walls, mended, newest)
        rows = [*rows, *(row for row in more if row.id not in known)]
    best = sorted(rows, key=lambda row: (row.rank, row.id), reverse=True)[:limit]
    shown = await store.snippets(session, [row.id for row in best if row.is_open], words)
    return SearchRead(
        items=[_hit(row, shown) for row in best],
        facets={name: _facet(rows, key) for name, key in FACETS.items()},
        matches=len(rows),
        is_complete=is_complete,
    )


async def _found(
    session: AsyncSession, walls: Walls, words: Words, newest: int
) -> tuple[list[Any], bool]:
    """Looks in ever wider windows of the newest texts, until there are candidates enough for this
    reader or no more texts; whether those were all.
    """
    window = FIRST_WINDOW
    while True:
        looking = Looking(max(newest - window, 0), HITS_LOOKED_AT, CANDIDATES + 1)
        rows, is_whole = await store.find(session, walls, records.Record, words, looking)
        if window >= newest or not is_whole or len(rows) >= CANDIDATES_ENOUGH:
            break
        window = _wider(window, len(rows))
    is_complete = window >= newest and is_whole and len(rows) <= CANDIDATES
    return list(rows[:CANDIDATES]), is_complete


def _wider(window: int, found: int) -> int:
    """Wide enough for all candidates, if they lie as thick as those that were found: no window
    holds many more hits than are wanted, however common or rare the word.
    """
    return max(window * WIDER_LEAST, window * CANDIDATES // max(found, 1))


def _words(query: str) -> Words:
    return Words(query, stemming.plain(query), stemming.stemmed(query))


async def _mended(session: AsyncSession, words: Words) -> Words | None:
    """The query with each word that stands in no title taken for the nearest that does; None when
    that changes nothing. It is not told: the word may be of a title that the reader may not know.
    """
    given = words.plain.split()[:MENDED_WORDS_MAX]
    nearest = [
        (await store.similar(session, one) or one) if stemming.is_mendable(one) else one
        for one in given
    ]
    return await asyncio.to_thread(_words, " ".join(nearest)) if nearest != given else None


FACETS: dict[str, Callable[[Any], str]] = {
    "agency": lambda row: row.agency,
    "classification": lambda row: row.classification_code,
    "security_class": lambda row: row.security_class,
    "year": lambda row: str(int(row.year)) if row.year else "",
}


def _hit(row: Any, shown: dict[object, str]) -> Hit:
    return Hit(
        record=row.id,
        agency=row.agency,
        title=row.title,
        number=row.number,
        classification=row.classification_code,
        security_class=row.security_class,
        snippet=shown.get(row.id),
    )


def _facet(rows: Sequence[Any], key: Any) -> list[Facet]:
    counted = Counter(value for value in map(key, rows) if value)
    return [Facet(value=value, count=count) for value, count in counted.most_common(FACET_VALUES)]


async def index_some(session: AsyncSession, *, now: datetime) -> int:
    """Indexes up to a pass of declared records; stemming runs in a thread. Answers how many."""
    await enter_as_worker(session, now)
    rows = await store.unindexed(session, INDEX_A_PASS)
    for row in rows:
        await store.keep(session, await asyncio.to_thread(_values, row, now))
    return len(rows)


def _values(row: Any, now: datetime) -> dict[str, Any]:
    label = " ".join(filter(None, (row.number, row.title)))
    meta = " ".join(filter(None, (label, row.description)))
    body = row.body or ""
    return {
        "id": row.id,
        "label": label,
        "meta": stemming.stemmed(meta),
        "meta_plain": stemming.plain(meta),
        "body": stemming.stemmed(body),
        "body_plain": stemming.plain(body),
        "excerpt": body[:EXCERPT_CHARACTERS],
        "words": sorted({one for one in stemming.words_of(label) if stemming.is_mendable(one)}),
        "at": now,
    }


async def forget_content(session: AsyncSession, *, sha256: str) -> None:
    """Records of these bytes are indexed anew: their text has changed."""
    await store.forget_content(session, sha256)


async def forget_record(session: AsyncSession, *, record_id: UUID) -> None:
    await store.forget(session, record_id)
