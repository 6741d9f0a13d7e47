"""The catalogue in process, over a real database that forgets each test."""

import asyncio
import importlib.util
import socket
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sebalai_services_catalog
import uvicorn
from sebalai_services_catalog.app import catalog_app
from sebalai_services_catalog.loading import load_reference
from sebalai_services_catalog.settings import CatalogSettings
from sebalai_shared.clock import FixedClock
from sebalai_shared.database import Database
from sebalai_shared.testing.database import RolledBack, fresh_database
from sebalai_shared.testing.http import Asserter, in_process

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
    )


@pytest.fixture
async def database(settings):
    async with RolledBack(settings).begin() as database:
        yield database


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


@pytest.fixture
def stand_in():
    """The module of a stand-in for an outside system, by its file."""

    def load(path):
        spec = importlib.util.spec_from_file_location(f"stand_in_{path.parent.name}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def listening():
    """Serves an application on a port of loopback; gives its address."""

    @asynccontextmanager
    async def serve(app):
        place = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        running = asyncio.create_task(server.serve(sockets=[place]))
        try:
            yield f"http://127.0.0.1:{place.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running

    return serve
