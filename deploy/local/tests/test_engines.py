"""The engines' promises: who may connect to what, and that they run for any user."""

import os
import shutil
import subprocess
import sys

import asyncpg
import pytest
from sebalai_local.engines import databases, place, postgres
from sebalai_local.engines.databases import NAMES
from sebalai_shared.broker import EVENTS, JOURNAL, Broker
from sebalai_shared.settings import MemberSettings


def at(admin_url, user, database):
    server = admin_url.split("@")[1].split("/")[0]
    return f"postgresql://{user}:pw-{user}@{server}/{database}"


@pytest.fixture(scope="module")
async def roles(postgres_admin_url):
    await databases.ensure(postgres_admin_url, {name: f"pw-{name}" for name in NAMES})
    await databases.ensure(postgres_admin_url, {name: f"pw-{name}" for name in NAMES})
    return postgres_admin_url


async def test_role_owns_its_database(roles):
    connection = await asyncpg.connect(at(roles, "archive", "archive"))
    await connection.execute("CREATE TABLE t (a int); DROP TABLE t")
    await connection.close()


@pytest.mark.parametrize("other", ["identity", "postgres"])
async def test_role_cannot_connect_to_another_database(roles, other):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(at(roles, "archive", other))


async def test_wrong_password_is_refused(roles):
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(at(roles, "archive", "archive").replace("pw-archive", "guess"))


async def test_broker_holds_every_stream_of_the_platform(nats_url, nats_token):
    """JetStream refuses a stream (10047) whose limit exceeds what is left of the store's."""
    broker = Broker(MemberSettings(nats_url=nats_url, nats_token=nats_token))
    await broker.connect()
    for stream in (EVENTS, JOURNAL):
        await broker.ensure_stream(stream, is_owner=True)
    await broker.close()


START = """
import sys
from pathlib import Path
from sebalai_local.engines import Engines
with Engines.start(Path(sys.argv[1]), durable=True) as engines:
    print("up", engines.addresses.postgres_admin_url)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_ordinary_user_can_start_engines(tmp_path_factory, nobody):
    folder = tmp_path_factory.mktemp("ordinary")
    for each in (folder, folder.parent, folder.parent.parent):
        each.chmod(0o755)
    os.chown(folder, nobody.uid, nobody.gid)
    done = nobody.run("-c", START, str(folder))
    assert done.stdout.startswith("up postgresql://"), done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's server runs as that user")
def test_root_with_binaries_under_a_closed_home_directory_can_start_engines(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = postgres.find_binaries().parents[1]
    for each in (package, package.with_name(f"{package.name}.libs")):
        if each.is_dir():
            shutil.copytree(each, closed / each.name, symlinks=True)
    home = tmp_path / "home"
    home.mkdir()
    chosen = closed / package.name / "pginstall" / "bin"
    done = subprocess.run(
        [sys.executable, "-c", START, str(home)],
        env={**os.environ, "SEBALAI_PG_BIN": str(chosen)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("up postgresql://"), done.stderr
    assert not place.fallback_of(home).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's server runs as that user")
def test_root_with_a_closed_home_directory_can_start_engines(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", START, str(home)], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("up postgresql://"), done.stderr
    assert not place.fallback_of(home).exists()
