"""Suite `archive-search`: search over a million records (SEARCH_RECORDS for fewer), in process,
with row security on.

The rows come by SQL, words by a steep (Zipf-like) distribution over 27,000 made-up Indonesian
ones; every second record is public, the rest is closed by class among 40 agencies. Queries are
sent one after another by a system of one agency and by the public, each as the API does:
standing, rights, candidates, ranking, snippets, facets.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
from figures import figure
from sebalai_local.engines import Engines

sys.path.insert(0, str(Path(__file__).parents[2]))

from sebalai_archive.loading import load_reference
from sebalai_archive.search import actions
from sebalai_archive.settings import ArchiveSettings
from sebalai_shared.caller import ANONYMOUS, Caller
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.reference import ReferenceFolder
from sebalai_shared.testing.database import at_database
from sebalai_shared.testing.http import system

from services.archive.tests.conftest import REFERENCE, owned_database

RECORDS, BATCH = int(os.environ.get("SEARCH_RECORDS", "1000000")), 10_000
QUERIES_A_KIND, TARGET_MS = 20, 50
SYLLABLES = [
    "an",
    "ba",
    "ber",
    "da",
    "di",
    "ga",
    "ha",
    "in",
    "ja",
    "ka",
    "ke",
    "la",
    "ma",
    "me",
    "mi",
    "na",
    "nga",
    "pa",
    "pe",
    "ra",
    "ri",
    "sa",
    "se",
    "si",
    "ta",
    "te",
    "ti",
    "tu",
    "un",
    "wa",
]
WORDS = [a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES]
STEEPNESS, TEXT_WORDS, TITLE_WORDS = 4, 40, 6
NAME = "archive_search"

FUNCTIONS = """
    CREATE FUNCTION pg_temp.word(n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
      SELECT s[1 + n / 900] || s[1 + (n / 30) % 30] || s[1 + n % 30]
      FROM (SELECT string_to_array('{syllables}', ' ') AS s) one
    $$;
    CREATE FUNCTION pg_temp.words(wanted int) RETURNS text LANGUAGE sql VOLATILE AS $$
      SELECT string_agg(pg_temp.word(floor(27000 * power(random(), {steepness}))::int), ' ')
      FROM generate_series(1, wanted) g
    $$
"""
RECORD = """
    INSERT INTO record (id, agency, application, subject, title, classification_code,
      security_class, number, dated, state, created_at, content_sha256, content_bytes, content_type,
      content_at, declared_at, event_id, statement, salt, commitment)
    SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'dinas-' || n % 40, 'a',
      's', pg_temp.words({title} + n % 2), (ARRAY['000.1.5', '800.1.2.2', '900.1.3.5'])[1 + n % 3],
      CASE WHEN n % 2 = 0 THEN 'biasa' WHEN n % 10 < 9 THEN 'terbatas' ELSE 'rahasia' END,
      'B/' || n || '/000.1.5/2026', date '2016-01-01' + n % 3900, 'declared', now(),
      md5(n::text) || md5(n::text), 1, 'text/plain', now(), now(),
      ('01900000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, '{{}}',
      decode(md5(n::text) || md5(n::text), 'hex'), md5(n::text) || md5(n::text)
    FROM generate_series($1::int, $2::int) n
"""
KEPT = """
    WITH made AS MATERIALIZED (
      SELECT r.id, r.number || ' ' || r.title AS label, r.title,
             pg_temp.words({text} + length(r.number) % 2) AS body
      FROM record r WHERE r.id >= ('01900000-0000-7000-8000-' || lpad(to_hex($1::int), 12, '0'))::uuid
        AND r.id <= ('01900000-0000-7000-8000-' || lpad(to_hex($2::int), 12, '0'))::uuid
    ) {insert}
"""
INDEXED = (
    """
    INSERT INTO record_text (record_id, label, meta, meta_plain, body, body_plain, at)
    SELECT id, label, to_tsvector('simple', label), to_tsvector('simple', label),
           to_tsvector('simple', body), to_tsvector('simple', body), now() FROM made
    """,
    "INSERT INTO record_excerpt SELECT id, 'anandi ' || title FROM made",
    """
    INSERT INTO title_word SELECT DISTINCT word FROM made, regexp_split_to_table(title, ' ') word
    ON CONFLICT DO NOTHING
    """,
)


async def fill(admin_url: str) -> None:
    """As a superuser without triggers: what is measured is the reading. The large indexes are
    made at the end.
    """
    connection = await asyncpg.connect(at_database(admin_url, NAME))
    try:
        await connection.execute("SET session_replication_role = replica")
        syllables = " ".join(SYLLABLES)
        await connection.execute(FUNCTIONS.format(syllables=syllables, steepness=STEEPNESS))
        inverted = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes "
            "WHERE tablename = 'record_text' AND indexdef LIKE '%USING gin%'"
        )
        for name, _ in inverted:
            await connection.execute(f"DROP INDEX {name}")
        for start in range(1, RECORDS, BATCH):
            span = start, min(start + BATCH - 1, RECORDS)
            await connection.execute(RECORD.format(title=TITLE_WORDS), *span)
            for insert in INDEXED:
                await connection.execute(KEPT.format(text=TEXT_WORDS, insert=insert), *span)
        for _, definition in inverted:
            await connection.execute(definition)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def word(chance: random.Random) -> str:
    return WORDS[int(len(WORDS) * chance.random() ** STEEPNESS)]


def mistyped(chance: random.Random) -> str:
    whole = WORDS[chance.randint(1_000, 9_000)]
    return f"{whole[:2]}x{whole[3:]}"


KINDS = {
    "one_word": word,
    "two_words": lambda chance: f"{word(chance)} {word(chance)}",
    "phrase": lambda chance: f'"{word(chance)} {word(chance)}"',
    "number": lambda chance: f"B/{chance.randint(1, RECORDS)}/000.1.5/2026",
    "rare_words": lambda chance: " ".join(WORDS[chance.randint(5_000, 26_999)] for _ in range(2)),
    "mistyped": mistyped,
}


async def _took_ms(database: Database, caller: Caller, query: str) -> float:
    began = time.perf_counter()
    async with database.transaction() as session:
        await actions.search_records(session, SystemClock(), caller=caller, query=query, limit=20)
    return (time.perf_counter() - began) * 1_000


async def _measure(admin_url: str) -> None:
    url = await owned_database(admin_url, NAME)
    database = Database(ArchiveSettings(database_url=url))
    await load_reference(database, ReferenceFolder(REFERENCE))
    await fill(admin_url)
    callers, chance = (system("ID-BB/GOV/dinas-3/x", "archive.write"), ANONYMOUS), random.Random(7)
    every: list[float] = []
    await _took_ms(database, ANONYMOUS, "pemanasan")
    for kind, made in KINDS.items():
        took = [
            await _took_ms(database, callers[number % 2], made(chance))
            for number in range(QUERIES_A_KIND)
        ]
        figure(f"archive.search.{kind}.p95", _p95(took), "ms")
        every += took
    figure("archive.search.records", RECORDS, "records")
    figure("archive.search.p95", _p95(every), "ms", "<=", TARGET_MS)
    await database.close()


def _p95(took: list[float]) -> float:
    return sorted(took)[int(len(took) * 0.95)]


def run() -> None:
    folder = Path(tempfile.mkdtemp(prefix="sebalai-bench-"))
    folder.chmod(0o711)
    try:
        with Engines.start(folder, durable=False) as engines:
            asyncio.run(_measure(engines.addresses.postgres_admin_url))
    finally:
        shutil.rmtree(folder)
