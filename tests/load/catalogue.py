"""Suite `catalogue`: the deadline job over a hundred thousand open requests; search among two
thousand services; requests filed at a steady hundred a second; reads that changed nothing.

A real `python -m sebalai_services_catalog api` with two processes over a durable PostgreSQL. The
load generator shares the cores with them, so reads are given as CPU of the servers too.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import quantiles

import httpx
import sebalai_services_catalog
from figures import figure, processor_seconds
from paced import paced
from sebalai_local.engines import Engines
from sebalai_services_catalog.calendar.actions import change_day
from sebalai_services_catalog.calendar.schema import DayWrite
from sebalai_services_catalog.loading import load_reference
from sebalai_services_catalog.requests.jobs import keep_deadlines
from sebalai_services_catalog.settings import CatalogSettings
from sebalai_shared.caller import OPERATE, Caller
from sebalai_shared.database import Database
from sebalai_shared.testing.clock import FixedClock
from sebalai_shared.testing.database import fresh_database
from sebalai_shared.testing.http import Asserter, system
from sqlalchemy import text
from wrk import wrk

OPEN_REQUESTS = 100_000
LATE_REQUESTS = 20_000
DEADLINE_SECONDS = 30.0
SERVICES, SEARCH_P95_MS, HIT_1, HIT_5 = 2_000, 50, 0.85, 0.97
SUBMITS_A_SECOND, SUBMIT_SECONDS, SUBMIT_P95_MS = 100, 10, 100
APPLICANTS = 50
READERS, READ_SECONDS, READS_A_SECOND = 16, 5, 2_000
READY_SECONDS = 60
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PACKAGE = Path(sebalai_services_catalog.__file__).parent
ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "deploy/reference"
GOLDEN = ROOT / "services/services-catalog/tests/services/golden_queries.csv"
Servers = list[tuple[int, subprocess.Popen[bytes]]]
ANSWERS = {code: {"value": f"isi {code}"} for code in ("proposal", "ktp", "pengantar")}

# Spread over days, minutes and two agencies; no due date yet, so the first pass computes them all.
FILL = text(
    """
    INSERT INTO service_request (
      id, ticket, service_id, service_version, service, agency, applicant, assisted, channel, state,
      revision, acts, starts, term_value, term_unit, clock_mode, running_since, due_at,
      calendar_revision, on_breach, created_at, submitted_at)
    SELECT gen_random_uuid(), 'BENCH-' || n, v.service_id, v.version, s.slug, s.agency,
      'applicant-' || n, false, 'daring', 'processing', 3, 3, 'submitted', 5, 'working_days',
      'running', CAST(:now AS timestamptz) - n % 1440 * interval '1 min'
        - CASE WHEN n <= :late THEN 20 ELSE n % 4 END * interval '1 day',
      NULL, 0, 'escalate', :now, :now
    FROM generate_series(1, :count) AS n
    JOIN service s ON s.slug = CASE WHEN n % 2 = 0 THEN 'izin-penelitian' ELSE 'legalisasi-ijazah' END
    JOIN service_version v ON v.service_id = s.id AND v.version = s.version
    """
)
# Services of invented words of the real ones: what a province would have beside those of the file.
CROWD = (
    """
    CREATE TEMP TABLE crowd ON COMMIT DROP AS
    SELECT gen_random_uuid() AS id, n, 'ramai-' || n AS slug,
      (SELECT id FROM service ORDER BY slug OFFSET n % 70 LIMIT 1) AS model,
      (SELECT string_agg(word, ' ') FROM (SELECT word FROM unnest(CAST(:words AS text[])) AS word
        ORDER BY md5(n || word) LIMIT 4) AS name) AS name,
      (SELECT string_agg(word, ' ') FROM (SELECT word FROM unnest(CAST(:words AS text[])) AS word
        ORDER BY md5('s' || n || word) LIMIT 10) AS summary) AS summary
    FROM generate_series(1, :count) AS n
    """,
    """
    INSERT INTO service SELECT (jsonb_populate_record(s, jsonb_build_object(
      'id', c.id, 'slug', c.slug, 'version', 1))).* FROM crowd c JOIN service s ON s.id = c.model
    """,
    """
    INSERT INTO service_version (service_id, version, agency, name_id, name_en, summary_id,
      summary_en, audiences, life_event, business_event, ral_code, channels, template, inherited,
      standard, review_by, published_at, author, published_by, digest, provenance_status,
      provenance_source)
    SELECT c.id, 1, v.agency, left(c.name, 100), v.name_en, left(c.summary, 150), v.summary_en,
      v.audiences, v.life_event, v.business_event, v.ral_code, v.channels, v.template, v.inherited,
      v.standard || jsonb_build_object('keywords', to_jsonb(string_to_array(c.name, ' '))),
      v.review_by, v.published_at, v.author, v.published_by, v.digest, v.provenance_status,
      v.provenance_source
    FROM crowd c JOIN service s ON s.id = c.model
    JOIN service_version v ON v.service_id = s.id AND v.version = s.version
    """,
)


@contextmanager
def _servers(url: str, folder: Path, asserter: Asserter):
    """Two processes of the API on one port each; answers their ports and processes."""
    environment = os.environ | {
        "SEBALAI_DATABASE_URL": url,
        "SEBALAI_CALLER_KEYS_FILE": str(asserter.write_keys(folder / "callers.json")),
    }
    started: Servers = []
    try:
        for _ in range(2):
            with socket.create_server(("127.0.0.1", 0)) as probe:
                port = probe.getsockname()[1]
            process = subprocess.Popen(
                [sys.executable, "-m", "sebalai_services_catalog", "api"],
                env=environment | {"SEBALAI_PORT": str(port)}, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            started.append((port, process))
        for port, _ in started:
            _wait_for(f"http://127.0.0.1:{port}")
        yield started
    finally:
        for _, process in started:
            process.terminate()
            process.wait()


def _wait_for(address: str) -> None:
    until = time.monotonic() + READY_SECONDS
    while True:
        try:
            if httpx.get(f"{address}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > until:
            raise TimeoutError(address)
        time.sleep(0.1)


async def _filled(database: Database, clock: FixedClock) -> None:
    await load_reference(database, clock, REFERENCE)
    async with database.transaction() as session:
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        values = {"now": NOW, "late": LATE_REQUESTS, "count": OPEN_REQUESTS}
        await session.execute(FILL, values)
    await _analyse(database, "service_request")


async def _analyse(database: Database, table: str) -> None:
    async with database.engine.connect() as connection:
        await connection.execute(text(f"ANALYZE {table}"))
        await connection.commit()


async def _deadlines(database: Database, clock: FixedClock) -> None:
    start = time.perf_counter()
    counts = await keep_deadlines(database, clock)
    took = time.perf_counter() - start
    assert counts["redo_due_dates"] == OPEN_REQUESTS, counts
    assert counts["tell_breaches"] == LATE_REQUESTS, counts
    figure("catalogue.deadlines.first_pass", took, "s", "<=", DEADLINE_SECONDS)
    operator = Caller(kind="system", subject="bench", scopes=frozenset({OPERATE}))
    day = DayWrite(kind="libur_nasional", name="Libur", basis="bench")
    async with database.transaction() as session:
        key = ("*", (NOW + timedelta(days=1)).date())
        await change_day(session, clock, caller=operator, key=key, wanted=day)
    start = time.perf_counter()
    counts = await keep_deadlines(database, clock)
    took = time.perf_counter() - start
    assert counts["redo_due_dates"] == OPEN_REQUESTS, counts
    figure("catalogue.deadlines.calendar_changed", took, "s", "<=", DEADLINE_SECONDS)


def _p95(seconds: list[float]) -> float:
    """In milliseconds."""
    return quantiles(seconds, n=20)[-1] * 1_000


def _golden() -> list[tuple[str, str]]:
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        return [(row["query"], row["slug"]) for row in csv.DictReader(file)]


async def _search(address: str, name: str, targets: tuple[float, float] | None) -> None:
    """Every golden query one after the other; `targets` for hit@1 and hit@5."""
    seconds, ranks = list[float](), list[int | None]()
    async with httpx.AsyncClient(base_url=address, timeout=30) as http:
        for query, slug in _golden():
            start = time.perf_counter()
            answer = await http.get("/v1/search", params={"q": query, "limit": 5})
            seconds.append(time.perf_counter() - start)
            found = [item["slug"] for item in answer.raise_for_status().json()["items"]]
            ranks.append(found.index(slug) if slug in found else None)
    figure(f"catalogue.search.{name}.p95", _p95(seconds), "ms", "<=", SEARCH_P95_MS)
    hit_1, hit_5 = ranks.count(0) / len(ranks), 1 - ranks.count(None) / len(ranks)
    for at, share, target in zip((1, 5), (hit_1, hit_5), targets or (None, None), strict=True):
        relation = ">=" if target is not None else ""
        figure(f"catalogue.search.{name}.hit@{at}", share, "of 1", relation, target)


async def _crowd(database: Database) -> None:
    """Services of random words, up to SERVICES in all."""
    async with database.transaction() as session:
        names = (
            "SELECT DISTINCT unnest(regexp_split_to_array(terms, '[^a-z]+')) FROM service_version"
        )
        words = [word for word in await session.scalars(text(names)) if len(word) > 3]
        here = await session.scalar(text("SELECT count(*) FROM service")) or 0
        for statement in CROWD:
            values = {"words": words, "count": SERVICES - here} if ":words" in statement else {}
            await session.execute(text(statement), values)
    for table in ("service_version", "service_word", "search_word"):
        await _analyse(database, table)


def _requests(asserter: Asserter) -> Iterator[bytes]:
    """Each of another key, of some applicants in turn."""
    body = json.dumps({"service": "izin-penelitian", "submit": True, "answers": ANSWERS}).encode()
    for number in count():
        lines = [
            "POST /v1/requests HTTP/1.1", "Host: bench", "Content-Type: application/json",
            f"Content-Length: {len(body)}", f"Idempotency-Key: b{number}",
        ]  # fmt: skip
        caller = system(f"ID-BB/COM/usaha-{number % APPLICANTS}/kantor")
        lines += [f"{name}: {value}" for name, value in asserter.headers(caller, "catalog").items()]
        yield "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _submits(started: Servers, asserter: Asserter) -> None:
    """An open loop: each begins at its time, however late the ones before are."""
    before = _processor(started)
    ports = [port for port, _ in started]
    seconds = await paced(ports, _requests(asserter), SUBMITS_A_SECOND, SUBMIT_SECONDS)
    figure("catalogue.submit.p95", _p95(seconds), "ms", "<=", SUBMIT_P95_MS)
    spent = (_processor(started) - before) / len(seconds)
    figure("catalogue.submit.cpu", spent * 1_000, "ms/request")


def _processor(started: Servers) -> float:
    return sum(processor_seconds(process.pid) for _, process in started)


async def _reads(started: Servers) -> None:
    """The first page of services by who has it already; wrk shares the two cores."""
    urls = [f"http://127.0.0.1:{port}/v1/services?limit=20" for port, _ in started]
    known = {"If-None-Match": httpx.get(urls[0]).headers["etag"]}
    assert {httpx.get(url, headers=known).status_code for url in urls} == {304}
    before = _processor(started)
    rounds = [asyncio.to_thread(wrk, url, READERS, READ_SECONDS, known) for url in urls]
    done = await asyncio.gather(*rounds)
    assert not sum(one["bad"] for one in done), done
    spent = (_processor(started) - before) / sum(one["calls"] for one in done)
    rate = sum(one["rate"] for one in done)
    figure("catalogue.reads.304", rate, "reads/s", ">=", READS_A_SECOND)
    figure("catalogue.reads.304_by_cpu_of_two_cores", 2 / spent, "reads/s")


async def _measure(admin_url: str, folder: Path) -> None:
    url = await fresh_database(admin_url, "catalogue_bench", PACKAGE)
    database, clock = Database(CatalogSettings(database_url=url)), FixedClock(NOW)
    asserter = Asserter()
    try:
        await _filled(database, clock)
        await _deadlines(database, clock)
        with _servers(url, folder, asserter) as started:
            address = f"http://127.0.0.1:{started[0][0]}"
            await _search(address, "reference", (HIT_1, HIT_5))
            await _submits(started, asserter)
            await _reads(started)
            await _crowd(database)
            await _search(address, "crowd", None)
    finally:
        await database.close()


def run() -> None:
    folder = Path(tempfile.mkdtemp(prefix="sebalai-bench-"))
    folder.chmod(0o711)
    try:
        with Engines.start(folder, durable=True) as engines:
            asyncio.run(_measure(engines.addresses.postgres_admin_url, folder))
    finally:
        shutil.rmtree(folder)
