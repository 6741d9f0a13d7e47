"""Search in Indonesian with PostgreSQL alone: for each word the best trigram likeness, and stems
joined by OR, because the stemmer errs and people misspell. Joining by AND is the largest single
fault (measured: 26 of 70 lay queries empty, against 2).
"""

import re
from collections.abc import Mapping, Sequence
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
NEAR_MIN = 0.3
"""Words less alike than this are taken for different ones."""
LIKELY_ROWS = 100
SUGGESTIONS_MAX = 8
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

# Pairs of asked and known words are compared, then services are found by the known ones. A phrase
# is as near as its words are together; of a word and its synonyms the nearest counts. Texts are
# read of the LIKELY_ROWS alone. What was never published has no version to be found by.
_FIND = text(
    """
    WITH asked AS (
      SELECT w, phrase, place, size FROM unnest(CAST(:words AS text[]), CAST(:phrases AS integer[]),
        CAST(:places AS integer[]), CAST(:sizes AS integer[])) AS u(w, phrase, place, size)
    ), near AS (
      SELECT w, word, word_similarity(w, word) AS likeness
      FROM (SELECT DISTINCT w FROM asked) AS one JOIN search_word ON w <% word
    ), best AS (
      SELECT service_id, version, w,
        max(CASE WHEN is_head THEN likeness ELSE 0.85 * likeness END) AS likeness
      FROM near JOIN service_word USING (word) GROUP BY service_id, version, w
    ), phrased AS (
      SELECT service_id, version, place, sum(likeness) / max(size) AS likeness
      FROM asked JOIN best USING (w) GROUP BY service_id, version, place, phrase
    ), meant AS (
      SELECT service_id, version, sum(likeness) / :count AS mean
      FROM (SELECT service_id, version, max(likeness) AS likeness FROM phrased
        GROUP BY service_id, version, place) AS placed
      GROUP BY service_id, version
    ), likely AS (
      SELECT s.id, s.version, s.slug, meant.mean
      FROM meant JOIN service s ON s.id = meant.service_id AND s.version = meant.version
      WHERE s.state <> 'retired'
        AND (CAST(:agency AS text) IS NULL OR s.agency = :agency)
        AND (coalesce(CAST(:audience AS text), :event, :place) IS NULL OR EXISTS (
          SELECT FROM service_version v WHERE v.service_id = s.id AND v.version = s.version
            AND (CAST(:place AS text) IS NULL OR :place = ANY (v.places))
            AND (CAST(:audience AS text) IS NULL OR :audience = ANY (v.audiences))
            AND (CAST(:event AS text) IS NULL OR :event IN (v.life_event, v.business_event))))
      ORDER BY meant.mean DESC, s.slug LIMIT :likely
    ), hit AS (
      SELECT slug, places, row_number() OVER (ORDER BY score DESC, slug) AS place FROM (
        SELECT slug, v.places,
          mean + 0.5 * ts_rank(v.stems, to_tsquery('indonesian', :query)) AS score
        FROM likely
        JOIN service_version v ON v.service_id = likely.id AND v.version = likely.version
      ) AS scored
      WHERE score >= :least ORDER BY score DESC, slug LIMIT :rows
    ), counted AS (
      SELECT code, count(*) AS services FROM hit, unnest(places) AS code GROUP BY code
    )
    SELECT
      coalesce((SELECT array_agg(slug ORDER BY place) FROM hit WHERE place <= :limit), '{}')
        AS slugs,
      coalesce((SELECT json_agg(json_build_array(code, coalesce(name, code), services)
        ORDER BY code) FROM counted LEFT JOIN known_region USING (code)), '[]') AS places
    """
)
_NEAR = text("SELECT set_config('pg_trgm.word_similarity_threshold', :near, true)")
_SUGGEST = text(
    """
    SELECT s.slug, v.name_id, v.name_en
    FROM service s
    JOIN service_version v ON v.service_id = s.id AND v.version = s.version
    WHERE s.state IN ('published', 'suspended') AND NOT EXISTS (
      SELECT FROM unnest(CAST(:begun AS text[])) AS begun WHERE NOT EXISTS (
        SELECT FROM service_word w WHERE w.service_id = s.id AND w.version = s.version
          AND w.is_head AND starts_with(w.word, begun)))
    ORDER BY starts_with(lower(v.name_id), :whole) DESC, v.name_id LIMIT :limit
    """
)
_MISS = text(
    "INSERT INTO search_miss VALUES (:words, 1, :day, :unfitting) ON CONFLICT (words) "
    "DO UPDATE SET times = search_miss.times + 1, last_on = excluded.last_on, "
    "unfitting = search_miss.unfitting + excluded.unfitting"
)


@dataclass(frozen=True, slots=True)
class Narrowed:
    agency: str | None = None
    audience: str | None = None
    event: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Hits:
    """Slugs, the best first; of all that matched (at most ROWS_MAX), by code and name of kabupaten
    or kota, how many have a service point there.
    """

    slugs: Sequence[str]
    places: Sequence[tuple[str, str, int]]


def words_of(query: str) -> list[str]:
    """The words that mean something; all of them when none would be left."""
    found = [
        word
        for word in WORD.findall(query.lower())
        if not (word.isdigit() and len(word) > DIGITS_MAX)
    ][:WORDS_MAX]
    return [word for word in found if word not in STOP and len(word) > 1] or found


@dataclass(frozen=True, slots=True)
class Miss:
    """`times` looked for in vain; in `unfitting` of them something was found and did not fit."""

    words: str
    times: int
    unfitting: int
    last_on: date


async def search(
    session: AsyncSession, clock: Clock, *, query: str, within: Narrowed, limit: int
) -> Hits:
    """A search that finds nothing is kept for the officers' synonym list."""
    words = words_of(query)
    if not words:
        return Hits([], [])
    asked = _asked(words, await _synonyms(session, words))
    values = asked | {
        "count": len(words), "least": SCORE_MIN, "likely": LIKELY_ROWS,
        "limit": limit, "rows": ROWS_MAX, "agency": within.agency, "audience": within.audience,
        "event": within.event, "place": within.place,
    }  # fmt: skip
    await session.execute(_NEAR, {"near": str(NEAR_MIN)})
    found = (await session.execute(_FIND, values)).one()
    if not found.slugs and within == Narrowed():
        await _note_miss(session, clock, words, unfitting=0)
    return Hits(found.slugs, found.places)


def _asked(words: Sequence[str], synonyms: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """One row a word to compare: which phrase it is of, how long that is, and for which place in
    the query the phrase stands.
    """
    rows: list[tuple[str, int, int, int]] = []
    for place, word in enumerate(words):
        for phrase in (word, *synonyms.get(word, ())):
            parts, number = phrase.split(), len(rows)
            rows += [(part, number, place, len(parts)) for part in parts]
    columns = zip(("words", "phrases", "places", "sizes"), zip(*rows, strict=True), strict=True)
    stems = " | ".join(dict.fromkeys(row[0] for row in rows))
    return {name: list(column) for name, column in columns} | {"query": stems}


async def tell_unfitting(session: AsyncSession, clock: Clock, *, query: str) -> None:
    """Somebody found nothing that fits among what was found."""
    words = words_of(query)
    if words:
        await _note_miss(session, clock, words, unfitting=1)


async def _note_miss(
    session: AsyncSession, clock: Clock, words: Sequence[str], *, unfitting: int
) -> None:
    day = clock.now().date()
    values = {"words": " ".join(words), "day": day, "unfitting": unfitting}
    await session.execute(_MISS, values)


async def suggest(session: AsyncSession, *, begun: str) -> list[tuple[str, str, str | None]]:
    """Slug and names of services whose name or keywords have words that begin like each of these;
    those whose name begins so first.
    """
    words = WORD.findall(begun.lower())[:WORDS_MAX]
    if not words:
        return []
    values = {"begun": words, "whole": begun.strip().lower(), "limit": SUGGESTIONS_MAX}
    rows = await session.execute(_SUGGEST, values)
    return [(row.slug, row.name_id, row.name_en) for row in rows]


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


async def misses(session: AsyncSession) -> list[Miss]:
    """At most MISSES_MAX, the most often first."""
    query = text("SELECT * FROM search_miss ORDER BY times DESC, words LIMIT :limit")
    rows = await session.execute(query, {"limit": MISSES_MAX})
    return [Miss(row.words, row.times, row.unfitting, row.last_on) for row in rows]
