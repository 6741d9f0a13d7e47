"""Real engines for every test session: PostgreSQL and NATS, started once, ended by pid."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sebalai_local.engines import Engines
from sebalai_shared.testing.database import fresh_database

# A change is judged by the same cases everywhere, and never by a machine's speed; `make explore`
# is where new cases are looked for.
settings.register_profile("judge", derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile("explore", max_examples=2000, deadline=None, print_blob=True)
settings.load_profile("judge")


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """Both engines in a folder of their own; data is thrown away, so nothing waits for a disk."""
    folder = Path(tempfile.mkdtemp(prefix="sebalai-"))
    # Root runs the server as another user, who must be able to walk in; its data stays 0700.
    folder.chmod(0o711)
    try:
        with Engines.start(folder, durable=False) as running:
            yield running
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_admin_url(engines: Engines) -> str:
    return engines.addresses.postgres_admin_url


@pytest.fixture(scope="session")
def nats_url(engines: Engines) -> str:
    return engines.addresses.nats_url


@pytest.fixture(scope="session")
def nats_token(engines: Engines) -> str:
    return engines.addresses.nats_token


@pytest.fixture(scope="session")
def database_url_for(postgres_admin_url: str) -> Callable[[str], Awaitable[str]]:
    """`await database_url_for("archive")` makes that member a fresh, empty database."""

    async def make(member: str) -> str:
        return await fresh_database(postgres_admin_url, f"test_{member}")

    return make
