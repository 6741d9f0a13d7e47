"""Search in Indonesian with PostgreSQL alone: stems joined by OR, and for each word the best
trigram likeness, because the stemmer errs and people misspell. Joining by AND is the largest single
fault (measured: 26 of 70 lay queries empty, against 2).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sebalai_shared.clock import Clock
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

WORDS_MAX = 12
ROWS_MAX = 50
MISSES_MAX = 200
SCORE_MIN = 0.34
WORD = re.compile(r"[a-z0-9]+")
# Longer numbers may be a person's: never searched for, never kept.
DIGITS_MAX = 4
# PostgreSQL ships no Indonesian stop words; these are what people type around what they mean.
STOP: frozenset[str] = frozenset(
    [
        "ada",
        "agar",
        "aja",
        "akan",
        "aku",
        "anda",
        "apa",
        "apakah",
        "atas",
        "atau",
        "bagaimana",
        "bagaimanakah",
        "bagi",
        "bahwa",
        "baru",
        "bikin",
        "bisa",
        "buat",
        "cara",
        "caranya",
        "dalam",
        "dan",
        "dapat",
        "dari",
        "daripada",
        "dengan",
        "dgn",
        "di",
        "dimana",
        "gimana",
        "hal",
        "harus",
        "hendak",
        "ingin",
        "ini",
        "itu",
        "jadi",
        "jika",
        "juga",
        "kalau",
        "kami",
        "karena",
        "ke",
        "kepada",
        "kita",
        "kok",
        "lagi",
        "lalu",
        "mana",
        "mau",
        "membuat",
        "mencari",
        "mengajukan",
        "mengenai",
        "mengurus",
        "mohon",
        "ngurus",
        "nya",
        "oleh",
        "pada",
        "para",
        "perlu",
        "saja",
        "sama",
        "sampai",
        "saya",
        "sebagai",
        "sebuah",
        "secara",
        "sedang",
        "seperti",
        "si",
        "sih",
        "sudah",
        "supaya",
        "syarat",
        "tentang",
        "tersebut",
        "tidak",
        "tolong",
        "untuk",
        "urus",
        "utk",
        "ya",
        "yang",
        "yg",
    ]
)

_FIND = text(
    """
    WITH word AS (
      SELECT w, g FROM unnest(CAST(:words AS text[]), CAST(:groups AS integer[])) AS u(w, g)
    )
    SELECT s.slug, ts_rank(v.stems, q.query) AS rank, likeness.mean AS likeness
    FROM service s
    JOIN service_version v ON v.service_id = s.id AND v.version = s.version
    CROSS JOIN (SELECT to_tsquery('indonesian', :query) AS query) AS q
    CROSS JOIN LATERAL (
      SELECT avg(best) AS mean FROM (
        SELECT max(greatest(
          word_similarity(w, v.heads), 0.85 * word_similarity(w, v.terms))) AS best
        FROM word GROUP BY g
      ) AS groups
    ) AS likeness
    WHERE s.state IN ('published', 'suspended')
      AND (CAST(:agency AS text) IS NULL OR s.agency = :agency)
      AND (CAST(:audience AS text) IS NULL OR :audience = ANY (v.audiences))
      AND (CAST(:event AS text) IS NULL OR :event IN (v.life_event, v.business_event))
      AND likeness.mean + 0.5 * ts_rank(v.stems, q.query) >= :least
    ORDER BY likeness.mean + 0.5 * ts_rank(v.stems, q.query) DESC, s.slug
    LIMIT :limit
    """
)
_MISS = text(
    "INSERT INTO search_miss VALUES (:words, 1, :day) ON CONFLICT (words) "
    "DO UPDATE SET times = search_miss.times + 1, last_on = excluded.last_on"
)


@dataclass(frozen=True, slots=True)
class Narrowed:
    agency: str | None = None
    audience: str | None = None
    event: str | None = None


def words_of(query: str) -> list[str]:
    """The words that mean something; all of them when none would be left."""
    found = [
        word
        for word in WORD.findall(query.lower())
        if not (word.isdigit() and len(word) > DIGITS_MAX)
    ][:WORDS_MAX]
    return [word for word in found if word not in STOP and len(word) > 1] or found


async def search(
    session: AsyncSession, clock: Clock, *, query: str, within: Narrowed, limit: int
) -> list[str]:
    """Slugs, the best first; a search that finds nothing is kept for the officers' synonym list."""
    words = words_of(query)
    if not words:
        return []
    synonyms = await _synonyms(session, words)
    pairs = [
        (one, group) for group, word in enumerate(words) for one in (word, *synonyms.get(word, ()))
    ]
    values: dict[str, Any] = {
        "words": [one for one, _ in pairs],
        "groups": [group for _, group in pairs],
        "query": " | ".join(part for one, _ in pairs for part in one.split()),
        "least": SCORE_MIN, "limit": min(limit, ROWS_MAX),
        "agency": within.agency, "audience": within.audience, "event": within.event,
    }  # fmt: skip
    slugs = [row.slug for row in await session.execute(_FIND, values)]
    if not slugs and within == Narrowed():
        await session.execute(_MISS, {"words": " ".join(words), "day": clock.now().date()})
    return slugs


async def _synonyms(session: AsyncSession, words: Sequence[str]) -> dict[str, list[str]]:
    query = text("SELECT word, means FROM search_synonym WHERE word = ANY (:words)")
    rows = await session.execute(query, {"words": list(words)})
    return {row.word: list(row.means) for row in rows}


async def load_synonyms(session: AsyncSession, rows: Sequence[dict[str, str]]) -> int:
    """Takes the file's synonyms; a word that an officer edited stays."""
    for row in rows:
        await session.execute(
            text(
                "INSERT INTO search_synonym (word, means) VALUES (:word, :means) "
                "ON CONFLICT (word) DO UPDATE SET means = excluded.means "
                "WHERE search_synonym.edited_by IS NULL"
            ),
            {"word": row["word"], "means": row["means"].split(";")},
        )
    return len(rows)


async def keep_synonym(
    session: AsyncSession, clock: Clock, *, word: str, means: Sequence[str], by: str
) -> None:
    await session.execute(
        text(
            "INSERT INTO search_synonym VALUES (:word, :means, :by, :at) ON CONFLICT (word) "
            "DO UPDATE SET means = excluded.means, edited_by = :by, edited_at = :at"
        ),
        {"word": word, "means": list(means), "by": by, "at": clock.now()},
    )


async def misses(session: AsyncSession) -> list[tuple[str, int, date]]:
    """At most MISSES_MAX, the most often first."""
    query = text("SELECT words, times, last_on FROM search_miss ORDER BY times DESC LIMIT :limit")
    rows = await session.execute(query, {"limit": MISSES_MAX})
    return [(row.words, row.times, row.last_on) for row in rows]
