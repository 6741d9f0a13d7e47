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
from sebalai_archive.standing import actions as standing

CANDIDATES = 500
INDEX_A_PASS = 100
EXCERPT_CHARACTERS = 20_000
FACET_VALUES = 10


async def search_records(
    session: AsyncSession, clock: Clock, *, caller: Caller, query: str, limit: int
) -> SearchRead:
    """The best of the newest matches, within what the caller may know and open."""
    reader = await standing.enter_as(session, clock, caller)
    words = {
        "raw": query,
        "plain": stemming.plain(query),
        "stemmed": await asyncio.to_thread(stemming.stemmed, query),
    }
    walls = records.known_to(reader), records.open_to(reader)
    rows = await store.find(session, walls, records.Record, words, CANDIDATES)
    is_complete, rows = len(rows) <= CANDIDATES, rows[:CANDIDATES]
    best = sorted(rows, key=lambda row: (row.rank, row.id), reverse=True)[:limit]
    shown = await store.snippets(session, [row.id for row in best if row.is_open], words)
    return SearchRead(
        items=[_hit(row, shown) for row in best],
        facets={name: _facet(rows, key) for name, key in FACETS.items()},
        matches=len(rows),
        is_complete=is_complete,
    )


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
        "at": now,
    }


async def forget_record(session: AsyncSession, *, record_id: UUID) -> None:
    await store.forget(session, record_id)
