"""The gateway's own database, migrated, and the names that tests of several rooms share."""

from pathlib import Path

import asyncpg
import pytest
import sebalai_gateway
from sebalai_shared.testing.database import fresh_database

PACKAGE = Path(sebalai_gateway.__file__).parent


@pytest.fixture(scope="session")
async def gateway_url(postgres_admin_url):
    return await fresh_database(postgres_admin_url, "test_gateway", PACKAGE)


@pytest.fixture
async def journal_url(gateway_url):
    """The gateway's database with an empty journal and no partition but the default one."""
    connection = await asyncpg.connect(gateway_url)
    try:
        days = await connection.fetch(
            "SELECT inhrelid::regclass::text AS name FROM pg_inherits "
            "WHERE inhparent = 'journal'::regclass AND inhrelid <> 'journal_default'::regclass"
        )
        for day in days:
            await connection.execute(f"DROP TABLE {day['name']}")
        await connection.execute("TRUNCATE journal, relay_cursor, repeat, quota_use")
    finally:
        await connection.close()
    return gateway_url


@pytest.fixture
async def database(journal_url):
    """A connection beside the gateway's own, to look and to hurt with."""
    connection = await asyncpg.connect(journal_url)
    yield connection
    await connection.close()
