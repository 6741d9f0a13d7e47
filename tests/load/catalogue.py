"""Suite `catalogue`: the deadline job over a hundred thousand open requests; search among two
thousand services; requests filed at a steady hundred a second; reads that changed nothing.

A real `python -m sebalai_services_catalog api` with two processes over a durable PostgreSQL. The
load generator shares the cores with them, so reads are given as CPU of the servers too.
"""

from __future__ import annotations

import asyncio
import csv
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

import httpx
import psutil
import sebalai_services_catalog
from figures import figure
from sebalai_local.engines import Engines
from sebalai_services_catalog.calendar.actions import change_day
from sebalai_services_catalog.calendar.schema import DayWrite
from sebalai_services_catalog.loading import load_reference
from sebalai_services_catalog.requests.jobs import keep_deadlines
from sebalai_services_catalog.settings import CatalogSettings
from sebalai_shared.caller import OPERATE, Caller
from sebalai_shared.clock import FixedClock
from sebalai_shared.database import Database
from sebalai_shared.testing.database import fresh_database
from sebalai_shared.testing.http import Asserter, system
from sqlalchemy import text

OPEN_REQUESTS = 100_000
LATE_REQUESTS = 20_000
DEADLINE_SECONDS = 30.0
SERVICES, SEARCH_P95_MS, HIT_1, HIT_5 = 2_000, 50, 0.85, 0.97
SUBMITS_A_SECOND, SUBMIT_SECONDS, SUBMIT_P95_MS = 100, 10, 100
READS, READERS, READS_A_SECOND = 6_000, 32, 2_000
READY_SECONDS = 60
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PACKAGE = Path(sebalai_services_catalog.__file__).parent
ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "deploy/reference"
GOLDEN = ROOT / "services/services-catalog/tests/services/golden_queries.csv"
BUSINESS = system("ID-BB/COM/pt-timah-jaya/kantor")
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
    """Two processes of the API on one port each; answers their addresses and processes."""
    environment = os.environ | {
        "SEBALAI_DATABASE_URL": url,
        "SEBALAI_CALLER_KEYS_FILE": str(asserter.write_keys(folder / "callers.json")),
    }
    started: list[tuple[str, subprocess.Popen[bytes]]] = []
    try:
        for _ in range(2):
            with socket.create_server(("127.0.0.1", 0)) as probe:
                port = probe.getsockname()[1]
            process = subprocess.Popen(
                [sys.executable, "-m", "sebalai_services_catalog", "api"],
                env=environment | {"SEBALAI_PORT": str(port)}, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            started.append((f"http://127.0.0.1:{port}", process))
        for address, _ in started:
            _wait_for(address)
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


async def _shared_out(count: int, callers: int, work: Callable[[int], Awaitable[None]]) -> float:
    """Does `work` for 0 to count-1 by `callers` at once; answers the seconds it took."""
    left = iter(range(count))

    async def one() -> None:
        for number in left:
            await work(number)

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(callers)))
    return time.perf_counter() - began


async def _submits(addresses: list[str], asserter: Asserter) -> None:
    """An open loop: each begins at its time, however late the ones before are."""
    seconds, began = list[float](), time.perf_counter()
    count = SUBMITS_A_SECOND * SUBMIT_SECONDS
    limits, patient = httpx.Limits(max_connections=200), httpx.Timeout(60, pool=None)
    async with httpx.AsyncClient(timeout=patient, limits=limits) as http:

        async def submit(number: int) -> None:
            due = began + number / SUBMITS_A_SECOND
            await asyncio.sleep(due - time.perf_counter())
            headers = asserter.headers(BUSINESS, "catalog") | {"Idempotency-Key": f"b{number}"}
            body = {"service": "izin-penelitian", "submit": True, "answers": ANSWERS}
            url = f"{addresses[number % len(addresses)]}/v1/requests"
            answer = await http.post(url, json=body, headers=headers)
            seconds.append(time.perf_counter() - due)
            assert answer.status_code == 201, answer.text

        await asyncio.gather(*(submit(number) for number in range(count)))
    figure("catalogue.submit.p95", _p95(seconds), "ms", "<=", SUBMIT_P95_MS)


async def _reads(started: list[tuple[str, subprocess.Popen[bytes]]]) -> None:
    """The first page of services by who has it already."""
    path = "/v1/services?limit=20"
    clients = [httpx.AsyncClient(base_url=address, timeout=30) for address, _ in started]
    tag = (await clients[0].get(path)).headers["etag"]

    async def read(number: int) -> None:
        answer = await clients[number % 2].get(path, headers={"If-None-Match": tag})
        assert answer.status_code == 304

    await _shared_out(100, READERS, read)
    servers = [psutil.Process(process.pid) for _, process in started]
    before = sum(sum(one.cpu_times()[:2]) for one in servers)
    took = await _shared_out(READS, READERS, read)
    cpu = (sum(sum(one.cpu_times()[:2]) for one in servers) - before) / READS
    for client in clients:
        await client.aclose()
    figure("catalogue.reads.304", READS / took, "reads/s")
    figure("catalogue.reads.304_by_cpu_of_two_cores", 2 / cpu, "reads/s", ">=", READS_A_SECOND)


async def _measure(admin_url: str, folder: Path) -> None:
    url = await fresh_database(admin_url, "catalogue_bench", PACKAGE)
    database, clock = Database(CatalogSettings(database_url=url)), FixedClock(NOW)
    asserter = Asserter()
    try:
        await _filled(database, clock)
        await _deadlines(database, clock)
        with _servers(url, folder, asserter) as started:
            addresses = [address for address, _ in started]
            await _search(addresses[0], "reference", (HIT_1, HIT_5))
            await _submits(addresses, asserter)
            await _reads(started)
            await _crowd(database)
            await _search(addresses[0], "crowd", None)
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
