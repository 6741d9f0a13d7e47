"""A sample member: the common tables and one of its own, in a real database."""

from pathlib import Path

import pytest
from sebalai_shared.database import Database
from sebalai_shared.settings import MemberSettings
from sebalai_shared.testing.database import fresh_database
from sebalai_shared.testing.http import Asserter

SAMPLE = Path(__file__).parent / "sample"


@pytest.fixture(scope="session")
async def sample_url(postgres_admin_url):
    return await fresh_database(postgres_admin_url, "shared_sample", SAMPLE)


@pytest.fixture(scope="session")
def asserter():
    return Asserter()


@pytest.fixture
def settings(sample_url, nats_url, nats_token, asserter, tmp_path):
    return MemberSettings(
        database_url=sample_url,
        nats_url=nats_url,
        nats_token=nats_token,
        caller_keys_file=asserter.write_keys(tmp_path / "callers.json"),
        pool_connections=5,
    )


@pytest.fixture
async def database(settings):
    database = Database(settings)
    yield database
    await database.close()
