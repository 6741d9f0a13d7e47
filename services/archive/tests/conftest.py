"""The archive in process, over a real database that forgets each test."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import sebalai_archive
from sebalai_archive.app import archive_app
from sebalai_archive.loading import load_reference
from sebalai_archive.settings import ArchiveSettings
from sebalai_shared.database import Database
from sebalai_shared.migrations import migrate
from sebalai_shared.reference import ReferenceFolder
from sebalai_shared.testing.clock import FixedClock
from sebalai_shared.testing.database import RolledBack, fresh_database
from sebalai_shared.testing.http import Asserter, in_process, system

PACKAGE = Path(sebalai_archive.__file__).parent
REFERENCE = Path(__file__).parents[3] / "deploy/reference"
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
BYTES_LIMIT = 3 * 1024 * 1024
SYSTEMS = Path(__file__).parents[3] / "tests/systems"


@pytest.fixture(scope="session")
def reference():
    return ReferenceFolder(REFERENCE)


async def owned_database(admin_url, name):
    """A migrated database of an ordinary role, as in production: a superuser passes row security."""
    url = await fresh_database(admin_url, name)
    connection = await asyncpg.connect(admin_url)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name):
            await connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
        await connection.execute(f"ALTER DATABASE {name} OWNER TO {name}")
    finally:
        await connection.close()
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    url = urlunsplit(parts._replace(netloc=f"{name}:{name}@{place}"))
    await migrate(url.replace("postgresql://", "postgresql+asyncpg://", 1), PACKAGE)
    return url


@pytest.fixture(scope="session")
async def archive_url(postgres_admin_url, reference):
    """A migrated database with the reference rows in it, and never any other."""
    return await _with_reference(postgres_admin_url, "archive_tests", reference)


@pytest.fixture(scope="session")
async def kept_url(postgres_admin_url, reference):
    """Another, for those who commit: no test of `archive_url` depends on who came before it."""
    return await _with_reference(postgres_admin_url, "archive_kept", reference)


async def _with_reference(admin_url, name, reference):
    url = await owned_database(admin_url, name)
    database = Database(ArchiveSettings(database_url=url))
    await load_reference(database, reference)
    await database.close()
    return url


@pytest.fixture
def clock():
    return FixedClock(NOW)


@pytest.fixture
def asserter(clock):
    return Asserter(clock)


@pytest.fixture
def settings(archive_url, asserter, tmp_path):
    return ArchiveSettings(
        database_url=archive_url,
        caller_keys_file=asserter.write_keys(tmp_path / "callers.json"),
        content_dir=tmp_path / "content",
        content_bytes_limit=BYTES_LIMIT,
        public_url="https://bus.example",
    )


@pytest.fixture
async def database(settings):
    async with RolledBack(settings).begin() as database:
        yield database


@pytest.fixture
async def app(settings, database, clock):
    app = archive_app(settings, database, clock)
    yield app
    await app.state.outside.aclose()


@pytest.fixture
def client_of(app, asserter):
    def make(caller):
        return in_process(app, asserter.headers(caller, "archive"))

    return make


@pytest.fixture
def writer(client_of):
    return client_of(system("ID-BB/GOV/dinsos-pmd/bansos", "archive.write"))


@pytest.fixture
def stranger(client_of):
    return client_of(system("ID-BB/GOV/dp3acskb/kependudukan", "archive.write"))


@pytest.fixture
def anonymous(app):
    return in_process(app)


@pytest.fixture
async def timestamps(stand_in, listening, tmp_path):
    """A timestamp authority that answers, with its own roots, signers, CRL and OCSP."""
    module, folder = stand_in("timestamp_authority"), tmp_path / "timestamps"
    folder.mkdir()
    authority = module.Authority(folder)
    async with listening(module.authority_app(authority)) as url:
        authority.open(url)
        yield authority


@pytest.fixture
def stamped(settings, timestamps):
    """The archive with a signer and a timestamp authority of the same root."""
    key, chain = timestamps.issue_signer()
    return settings.model_copy(
        update={
            "signing_key_file": key,
            "signing_certificates_file": chain,
            "signing_trust_file": timestamps.folder / "root.pem",
            "timestamp_url": f"{timestamps.url}/tsa",
            "private_systems": "127.0.0.1",
        }
    )
