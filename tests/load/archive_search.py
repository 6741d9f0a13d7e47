"""Suite `archive-search`: search over a million records (SEARCH_RECORDS for fewer), in process,
with row security on.

The rows come by SQL, words by a steep (Zipf-like) distribution over 27,000 made-up Indonesian
ones; every second record is public, the rest is closed by class among 40 agencies, and of each
tenth somebody has a need to know it. Queries are sent one after another by the public, by a system
and the head of one agency, and by the governor, each as the API does: standing, rights, candidates,
ranking, snippets, facets.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from itertools import product
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

RECORDS = int(os.environ.get("SEARCH_RECORDS", "1000000"))
TEXTS_MADE = 10_006
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

TEXTS = """
    CREATE TEMP TABLE made AS
    WITH lexicon AS (SELECT string_to_array('{syllables}', ' ') AS s)
    SELECT n, words.text, to_tsvector('simple', words.text) AS vector
    FROM lexicon, generate_series(0, {texts} - 1) n, LATERAL (
      SELECT string_agg(s[1 + w / 900] || s[1 + (w / 30) % 30] || s[1 + w % 30], ' ') AS text
      FROM generate_series(1, CASE WHEN n % 2 = 0 THEN {title} ELSE {body} END) g,
      LATERAL (SELECT floor(27000 * power(random() + 0 * g, {steepness}))::int AS w) drawn
    ) words
"""
RECORD = """
    INSERT INTO record (id, agency, application, subject, title, classification_code,
      security_class, number, dated, state, created_at, content_sha256, content_bytes, content_type,
      content_at, declared_at, event_id, statement, salt, commitment)
    SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(r), 12, '0'))::uuid, 'dinas-' || r % 40, 'a',
      's', t.text, (ARRAY['000.1.5', '800.1.2.2', '900.1.3.5'])[1 + r % 3],
      CASE WHEN r % 2 = 0 THEN 'biasa' WHEN r % 10 < 9 THEN 'terbatas' ELSE 'rahasia' END,
      'B/' || r || '/000.1.5/2026', date '2016-01-01' + r % 3900, 'declared', now(),
      md5(r::text) || md5(r::text), 1, 'text/plain', now(), now(),
      ('01900000-0000-7000-9000-' || lpad(to_hex(r), 12, '0'))::uuid, '{}',
      decode(md5(r::text) || md5(r::text), 'hex'), md5(r::text) || md5(r::text)
    FROM generate_series(1, $1::int) r JOIN made t ON t.n = 2 * (r * 7919::bigint % $2::int)
"""
INDEXED = """
    INSERT INTO record_text (record_id, label, meta, meta_plain, body, body_plain, at)
    SELECT id, label, meta, meta, vector, vector, now() FROM (
      SELECT r.id, r.number || ' ' || r.title AS label,
             to_tsvector('simple', r.number || ' ' || r.title) AS meta, t.vector
      FROM record r JOIN made t ON
        t.n = 1 + 2 * (split_part(r.number, '/', 2)::bigint * 104729 % $1::int)
      ORDER BY r.id
    ) kept
"""
NEEDS = """
    INSERT INTO record_need (id, record_id, kind, agency, reason, given_by, valid_from)
    SELECT ('01900000-0000-7000-a000-' || lpad(to_hex(r), 12, '0'))::uuid,
      ('01900000-0000-7000-8000-' || lpad(to_hex(r), 12, '0'))::uuid, 'leave',
      'dinas-' || (r / 7) % 40, 'r', 's', now()
    FROM generate_series(1, $1::int, 10) r
"""
OFFICIALS = """
    INSERT INTO standing (subject, agency, rank, is_archivist, valid_from, set_by, set_at)
    VALUES ('head', 'dinas-3', 'head', false, now(), 's', now()),
      ('governor', 'dinas-1', 'policy_maker', false, now(), 's', now())
"""
REST = (
    OFFICIALS,
    "INSERT INTO record_excerpt SELECT id, 'anandi ' || title FROM record",
    """
    INSERT INTO title_word SELECT DISTINCT word FROM made, regexp_split_to_table(text, ' ') word
    WHERE n % 2 = 0 ON CONFLICT DO NOTHING
    """,
)
FILLED = ("record", "record_text", "record_excerpt")


async def fill(admin_url: str) -> None:
    """As a superuser without triggers: what is measured is the reading. Indexes are made at the
    end, and TEXTS_MADE titles and texts are used again and again, in ever other pairs.
    """
    connection = await asyncpg.connect(at_database(admin_url, NAME))
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("SET maintenance_work_mem = '512MB'")
        await connection.execute("SET work_mem = '128MB'")
        syllables, half = " ".join(SYLLABLES), TEXTS_MADE // 2
        await connection.execute(
            TEXTS.format(
                syllables=syllables, texts=TEXTS_MADE, title=TITLE_WORDS, body=TEXT_WORDS,
                steepness=STEEPNESS,
            )
        )  # fmt: skip
        indexes = await _without_indexes(connection)
        await connection.execute(RECORD, RECORDS, half)
        await connection.execute(INDEXED, half)
        await connection.execute(NEEDS, RECORDS)
        for statement in (*REST, *indexes, "VACUUM ANALYZE"):
            await connection.execute(statement)
    finally:
        await connection.close()


async def _without_indexes(connection: asyncpg.Connection[asyncpg.Record]) -> list[str]:
    """Drops those that no constraint needs; answers how to make them."""
    found = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY($1) AND NOT EXISTS "
        "(SELECT 1 FROM pg_constraint WHERE conname = indexname)",
        FILLED,
    )
    for name, _ in found:
        await connection.execute(f"DROP INDEX {name}")
    return [str(definition) for _, definition in found]


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


# The two statements of each rank, which a process compiles once.
WARMING = ("pemanasan", '"pemanasan mesin"')
CALLERS = {
    "public": ANONYMOUS,
    "system": system("ID-BB/GOV/dinas-3/x", "archive.write"),
    "head": Caller(kind="civil_servant", subject="head", agency="dinas-3"),
    "governor": Caller(kind="civil_servant", subject="governor", agency="dinas-1"),
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
    chance, every = random.Random(7), list[float]()
    of: dict[str, list[float]] = {name: [] for name in CALLERS}
    for caller, query in product(CALLERS.values(), WARMING):
        await _took_ms(database, caller, query)
    for kind, made in KINDS.items():
        took = list[float]()
        for number in range(QUERIES_A_KIND):
            name = list(CALLERS)[number % len(CALLERS)]
            took.append(await _took_ms(database, CALLERS[name], made(chance)))
            of[name].append(took[-1])
        figure(f"archive.search.{kind}.p50", statistics.median(took), "ms")
        figure(f"archive.search.{kind}.p95", _p95(took), "ms")
        every += took
    for name, took in of.items():
        figure(f"archive.search.{name}.p95", _p95(took), "ms")
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
