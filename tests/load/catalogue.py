"""Suite `catalogue`: the deadline job over a hundred thousand open requests."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

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
from sqlalchemy import text

OPEN_REQUESTS = 100_000
LATE_REQUESTS = 20_000
DEADLINE_SECONDS = 30.0
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PACKAGE = Path(sebalai_services_catalog.__file__).parent
REFERENCE = Path(__file__).parents[2] / "deploy/reference"

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


async def _filled(database: Database, clock: FixedClock) -> None:
    await load_reference(database, clock, REFERENCE)
    async with database.transaction() as session:
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        values = {"now": NOW, "late": LATE_REQUESTS, "count": OPEN_REQUESTS}
        await session.execute(FILL, values)
    async with database.engine.connect() as connection:
        await connection.execute(text("ANALYZE service_request"))
        await connection.commit()


async def _measure(admin_url: str) -> None:
    url = await fresh_database(admin_url, "catalogue_bench", PACKAGE)
    database, clock = Database(CatalogSettings(database_url=url)), FixedClock(NOW)
    try:
        await _filled(database, clock)
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
    finally:
        await database.close()


def run() -> None:
    folder = Path(tempfile.mkdtemp(prefix="sebalai-bench-"))
    folder.chmod(0o711)
    try:
        with Engines.start(folder, durable=True) as engines:
            asyncio.run(_measure(engines.addresses.postgres_admin_url))
    finally:
        shutil.rmtree(folder)
