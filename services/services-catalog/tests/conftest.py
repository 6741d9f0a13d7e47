"""The catalogue in process, over a real database that forgets each test."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sebalai_services_catalog
from sebalai_services_catalog.app import catalog_app
from sebalai_services_catalog.loading import load_reference
from sebalai_services_catalog.settings import CatalogSettings
from sebalai_shared.clock import FixedClock
from sebalai_shared.testing.database import RolledBack, fresh_database
from sebalai_shared.testing.http import in_process

PACKAGE = Path(sebalai_services_catalog.__file__).parent
REFERENCE = Path(__file__).parents[3] / "deploy/reference"
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
async def catalog_url(postgres_admin_url):
    return await fresh_database(postgres_admin_url, "catalog_tests", PACKAGE)


@pytest.fixture
def clock():
    return FixedClock(NOW)


@pytest.fixture
def reference_folder():
    return REFERENCE


@pytest.fixture
def settings(catalog_url):
    return CatalogSettings(database_url=catalog_url, public_url="https://bus.example")


@pytest.fixture
async def database(settings):
    async with RolledBack(settings).begin() as database:
        yield database


@pytest.fixture
async def loaded(database, clock):
    await load_reference(database, clock, REFERENCE)
    return database


@pytest.fixture
def anonymous(settings, database, clock):
    return in_process(catalog_app(settings, database, clock))
