"""The catalogue in process, over a real database that forgets each test."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sebalai_services_catalog
from sebalai_services_catalog.app import catalog_app
from sebalai_services_catalog.loading import load_reference
from sebalai_services_catalog.settings import CatalogSettings
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.testing.clock import FixedClock
from sebalai_shared.testing.database import RolledBack, fresh_database
from sebalai_shared.testing.http import Asserter, in_process, system

PACKAGE = Path(sebalai_services_catalog.__file__).parent
REFERENCE = Path(__file__).parents[3] / "deploy/reference"
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
async def catalog_url(postgres_admin_url):
    """The reference folder is loaded once for all tests; each test's changes are rolled back."""
    url = await fresh_database(postgres_admin_url, "catalog_tests", PACKAGE)
    database = Database(CatalogSettings(database_url=url))
    await load_reference(database, FixedClock(NOW), REFERENCE)
    await database.close()
    return url


@pytest.fixture
def clock():
    return FixedClock(NOW)


@pytest.fixture
def reference_folder():
    return REFERENCE


@pytest.fixture
def asserter(clock):
    return Asserter(clock)


@pytest.fixture
def settings(catalog_url, asserter, tmp_path):
    return CatalogSettings(
        database_url=catalog_url,
        caller_keys_file=asserter.write_keys(tmp_path / "callers.json"),
        public_url="https://bus.example",
        public_answers_kept_seconds=0,
    )


@pytest.fixture
async def database(settings):
    async with RolledBack(settings).begin() as database:
        yield database


@pytest.fixture(scope="session")
async def shared_database(postgres_admin_url):
    """Rows that are committed, for callers that really run at once."""
    url = await fresh_database(postgres_admin_url, "catalog_together", PACKAGE)
    database = Database(CatalogSettings(database_url=url))
    await load_reference(database, SystemClock(), REFERENCE)
    yield url, database
    await database.close()


@pytest.fixture
def together(shared_database, clock, asserter, tmp_path):
    url, database = shared_database
    keys = asserter.write_keys(tmp_path / "keys.json")
    app = catalog_app(CatalogSettings(database_url=url, caller_keys_file=keys), database, clock)

    def make(application, *scopes):
        return in_process(app, asserter.headers(system(application, *scopes), "catalog"))

    return make


@pytest.fixture
def loaded(database):
    return database


@pytest.fixture
def app(settings, database, clock):
    return catalog_app(settings, database, clock)


@pytest.fixture
def anonymous(app):
    return in_process(app)


@pytest.fixture
def client_of(app, asserter):
    """A client that speaks as a caller, asserted anew for each request: the clock may leap."""

    def make(caller):
        async def assert_caller(request):
            request.headers.update(asserter.headers(caller, "catalog"))

        client = in_process(app)
        client.event_hooks = {"request": [assert_caller]}
        return client

    return make
