"""Who verifies our tokens by `/oauth/jwks` goes on while the database, a real one, is stopped."""

import os
import signal
import tempfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from shutil import rmtree

import pytest
import sebalai_identity
from sebalai_identity.app import identity_app
from sebalai_identity.keys.actions import KEPT_FOR, RENEWED_AFTER
from sebalai_local.engines import Engines
from sebalai_shared.database import Database
from sebalai_shared.testing.database import fresh_database
from sebalai_shared.testing.http import in_process


@pytest.fixture
def server():
    """A PostgreSQL of its own, which the test may stop."""

    @contextmanager
    def running():
        folder = Path(tempfile.mkdtemp(prefix="sebalai-"))
        folder.chmod(0o711)
        try:
            with Engines.start(folder, durable=False) as engines:
                yield engines
        finally:
            rmtree(folder)

    with running() as engines:
        yield engines


@pytest.fixture
async def app(server, settings, clock):
    package = Path(sebalai_identity.__file__).parent
    url = await fresh_database(server.addresses.postgres_admin_url, "identity_away", package)
    database = Database(settings.model_copy(update={"database_url": url}))
    yield identity_app(settings, database, clock)
    await database.close()


async def test_keys_are_told_while_the_database_is_away_and_not_for_ever(
    app, server, clock, asserter, gateway
):
    async with in_process(app) as client:
        assert (await client.get("/oauth/jwks")).status_code == 200
        version = await client.get("/internal/keys", headers=asserter.headers(gateway, "identity"))
        polled = {"after": version.json()["version"]}
        # Nobody asks for the set itself; a gateway asks each second whether there is a newer one.
        for _ in range(3):
            clock.move(KEPT_FOR - timedelta(minutes=1))
            headers = asserter.headers(gateway, "identity")
            answer = await client.get("/internal/keys", params=polled, headers=headers)
            assert answer.status_code == 304
        server.stop()
        clock.move(KEPT_FOR - timedelta(seconds=1))
        away = await client.get("/oauth/jwks")
        assert away.status_code == 200, away.text
        assert len(away.json()["keys"]) == 2
        assert away.headers["Cache-Control"] == "public, max-age=60"
        again = await client.get("/oauth/jwks", headers={"If-None-Match": away.headers["ETag"]})
        assert again.status_code == 304
        clock.move(timedelta(seconds=1))
        late = await client.get("/oauth/jwks")
        assert (late.status_code, late.headers["Retry-After"]) == (503, "2")


@contextmanager
def frozen(pid):
    """A server that keeps its connections and answers nothing on them, as one cut off does."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    held = [pid, *map(int, children)]
    for one in held:
        os.kill(one, signal.SIGSTOP)
    try:
        yield
    finally:
        for one in held:
            os.kill(one, signal.SIGCONT)


async def test_keys_are_told_while_the_database_keeps_silent(app, server):
    async with in_process(app) as client:
        first = await client.get("/oauth/jwks")
        with frozen(server._running[-1][0].pid):
            away = await client.get("/oauth/jwks")
        assert (away.status_code, away.json()) == (200, first.json())
        assert away.headers["Cache-Control"] == "public, max-age=60"
        again = await client.get("/oauth/jwks")
        assert again.headers["Cache-Control"] == "public, max-age=300"


async def test_what_was_never_read_is_not_told(app, server):
    server.stop()
    async with in_process(app) as client:
        assert (await client.get("/oauth/jwks")).status_code == 503


def test_keys_are_read_often_enough_to_be_kept():
    assert RENEWED_AFTER * 2 < KEPT_FOR
