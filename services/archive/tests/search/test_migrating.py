"""An archive is searched and indexed while its search is migrated, and nothing of that is lost."""

import importlib.util
import shutil
from contextlib import AsyncExitStack

import asyncpg
import pytest
from sebalai_shared.migrations import migrate
from sebalai_shared.testing.database import fresh_database

from services.archive.tests.conftest import PACKAGE

VERSIONS = PACKAGE / "migrations/versions"
ID = "01900000-0000-7000-8000-{:012d}"
RECORD = """
    INSERT INTO record (id, agency, application, subject, title, classification_code,
      security_class, dated, state, created_at)
    VALUES ($1, 'a', 'a', 'a', 'a', '000.1.5', 'biasa', now(), 'draft', now())
"""
TEXT = {
    "0019": """
    INSERT INTO record_text (record_id, label, meta, meta_plain, body, body_plain, excerpt, at)
    VALUES ($1, $2, to_tsvector('simple', $2), '', '', '', $2, now() - interval '3 days')
    """,
    "0022": """
    INSERT INTO record_text (record_id, label, meta, meta_plain, body, body_plain, at)
    VALUES ($1, $2, to_tsvector('simple', $2), '', '', '', clock_timestamp())
    """,
}
COLUMNS = "SELECT attname FROM pg_attribute WHERE attrelid = 'record_text'::regclass AND attnum > 0"
INDEXES = "SELECT indexdef FROM pg_indexes WHERE tablename = 'record_text' ORDER BY indexname"
NAMES = "SELECT conname FROM pg_constraint WHERE conrelid = 'record_text'::regclass ORDER BY 1"


def migration(revision):
    [path] = VERSIONS.glob(f"{revision}_*.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
async def connect():
    async with AsyncExitStack() as stack:

        async def make(url):
            connection = await asyncpg.connect(url, server_settings={"lock_timeout": "500ms"})
            stack.push_async_callback(connection.close)
            return connection

        yield make


@pytest.fixture
def before(postgres_admin_url, tmp_path):
    """The address of a database that stands before a revision."""

    async def make(revision):
        folder = tmp_path / "migrations/versions"
        folder.mkdir(parents=True)
        for path in sorted(VERSIONS.glob("0*.py")):
            if path.stem[:4] < revision:
                shutil.copy(path, folder)
        url = await fresh_database(postgres_admin_url, f"archive_before_{revision}")
        await migrate(url.replace("postgresql://", "postgresql+asyncpg://", 1), tmp_path)
        return url

    return make


@pytest.mark.parametrize("revision", ["0019", "0022"])
async def test_who_searches_and_indexes_waits_for_no_long_step(before, connect, revision):
    url, steps, insert = await before(revision), migration(revision), TEXT[revision]
    reader, runner = await connect(url), await connect(url)
    await reader.execute("SET session_replication_role = replica")  # no classification is loaded
    for number in range(1, 6):
        await reader.execute(RECORD, ID.format(number))
    await reader.execute("RESET session_replication_role")
    for number in (1, 2, 3):
        await reader.execute(insert, ID.format(number), f"judul {'abcdef'[number]}kata")
    transaction = runner.transaction()
    await transaction.start()
    for step in steps.BESIDE:
        await runner.execute(step)
        assert await reader.fetchval("SELECT count(*) FROM record_text") == 3
    # Meanwhile one is destroyed, one is new, one is indexed anew.
    for number in (1, 2):
        await reader.execute("DELETE FROM record_text WHERE record_id = $1", ID.format(number))
    for number in (2, 4):
        anew = insert.replace("now() - interval '3 days'", "now()")
        await reader.execute(anew, ID.format(number), f"baru {'abcdef'[number]}kata")
    for step in steps.LOCKED:
        await runner.execute(step)
    await transaction.commit()
    rows = await reader.fetch("SELECT record_id, label FROM record_text ORDER BY 1")
    assert [(row[0].int % 10, row[1]) for row in rows] == [
        (2, "baru ckata"),
        (3, "judul dkata"),
        (4, "baru ekata"),
    ]
    if revision == "0019":
        texts = await reader.fetch("SELECT excerpt FROM record_excerpt ORDER BY record_id")
        assert [row[0] for row in texts] == ["baru ckata", "judul dkata", "baru ekata"]
        known = {row[0] for row in await reader.fetch("SELECT word FROM title_word")}
        assert {"baru", "ckata", "dkata", "ekata"} <= known
    else:
        placed = "SELECT record_id FROM record_text ORDER BY place"
        assert (await reader.fetchval(placed)).int % 10 == 3
        assert [row[0] for row in await reader.fetch(COLUMNS)][-1] == "place"
        assert len(await reader.fetch(INDEXES)) == 6
        names = [row[0] for row in await reader.fetch(NAMES)]
        assert {"record_text_pkey", "record_text_record_id_fkey"} <= set(names)
