"""A real process, killed at the worst moments: what was acknowledged is whole, the rest is a draft."""

import asyncio
import base64
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import AsyncExitStack

import asyncpg
import httpx
import pytest
from sebalai_archive.content.files import FilePlace
from sebalai_archive.content.places import SWEEP_AFTER_SECONDS
from sebalai_archive.content_store import ContentStore
from sebalai_archive.seals.jobs import sweep_content
from sebalai_archive.settings import ArchiveSettings
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import Asserter, system

WAIT_SECONDS = 60.0
WRITER = system("ID-BB/GOV/dinsos-pmd/bansos", "archive.write")
WANTED = {"title": "Notula", "classification": "000.1.5"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`python -m sebalai_archive api` over a folder and a database that outlive it."""

    def __init__(self, url, folder):
        self.asserter, self.url, self.content = Asserter(), url, folder / "content"
        # Each test its own bytes: the database outlives it, and its rows name them.
        self.half, self.rest = os.urandom(1_500_000), os.urandom(1_000_000)
        self.whole = self.half + self.rest
        self.address = ""
        self.environment = os.environ | {
            "SEBALAI_DATABASE_URL": url,
            "SEBALAI_CONTENT_DIR": str(self.content),
            "SEBALAI_CALLER_KEYS_FILE": str(self.asserter.write_keys(folder / "callers.json")),
        }

    def start(self):
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sebalai_archive", "api"],
            env=self.environment | {"SEBALAI_PORT": str(port)},
            stderr=subprocess.DEVNULL,
        )
        wait_for(self.is_ready)

    def is_ready(self):
        try:
            return httpx.get(f"{self.address}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def headers(self, **more):
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return self.asserter.headers(WRITER, "archive") | named

    def draft(self):
        key = str(uuid7())
        answer = httpx.post(
            f"{self.address}/v1/records", json=WANTED, headers=self.headers(idempotency_key=key)
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def read(self, record_id):
        return httpx.get(f"{self.address}/v1/records/{record_id}", headers=self.headers()).json()

    def put(self, record_id, content):
        digest = base64.b64encode(hashlib.sha256(self.whole).digest()).decode()
        return httpx.put(
            f"{self.address}/v1/records/{record_id}/content",
            content=content,
            headers=self.headers(content_digest=f"sha-256=:{digest}:"),
            timeout=WAIT_SECONDS,
        )

    def files(self, below):
        return [path for path in (self.content / below).rglob("*") if path.is_file()]


def wait_for(condition):
    until = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.02)


@pytest.fixture
async def closing():
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def server(kept_url, tmp_path):
    server = Server(kept_url, tmp_path)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def test_a_kill_in_mid_upload_leaves_a_draft_that_takes_the_upload_again(server):
    record_id = server.draft()

    def cut_off():
        yield server.half
        wait_for(lambda: any(path.stat().st_size for path in server.files("stage")))
        server.kill()
        yield server.rest

    with pytest.raises(httpx.TransportError):
        server.put(record_id, cut_off())
    assert server.files("cas") == []
    server.start()
    record = server.read(record_id)
    assert (record["state"], record["content"], record["declaration"]) == ("draft", None, None)
    assert server.put(record_id, server.whole).status_code == 200
    path = f"{server.address}/v1/records/{record_id}/content"
    assert httpx.get(path, headers=server.headers()).content == server.whole


async def test_a_kill_between_link_and_transaction_leaves_no_broken_record(server, closing):
    record_id = server.draft()
    holder = await asyncpg.connect(server.url)
    closing.push_async_callback(holder.close)
    hold = holder.transaction()

    async def held_back():
        yield server.half
        while not any(path.stat().st_size for path in server.files("stage")):
            await asyncio.sleep(0.02)
        # The row is held from here on, so that the server links the file and then has to wait.
        await hold.start()
        await holder.execute("SELECT set_config('archive.rank', 'worker', false)")
        await holder.execute("SELECT 1 FROM record WHERE id = $1 FOR UPDATE", record_id)
        yield server.rest
        yield b""

    digest = base64.b64encode(hashlib.sha256(server.whole).digest()).decode()
    async with httpx.AsyncClient(timeout=WAIT_SECONDS) as client:
        upload = asyncio.create_task(
            client.put(
                f"{server.address}/v1/records/{record_id}/content",
                content=held_back(),
                headers=server.headers(content_digest=f"sha-256=:{digest}:"),
            )
        )
        while not server.files("cas"):
            await asyncio.sleep(0.02)
        server.kill()
        with pytest.raises(httpx.TransportError):
            await upload
    await hold.rollback()

    server.start()
    assert server.read(record_id)["content"] is None
    [orphan] = server.files("cas")
    old = time.time() - SWEEP_AFTER_SECONDS - 60
    os.utime(orphan, (old, old))
    database = Database(ArchiveSettings(database_url=server.url))
    closing.push_async_callback(database.close)
    # The kill may have come before the staged name of the same file was taken away.
    store = ContentStore(FilePlace(server.content), len(server.whole))
    assert await sweep_content(database, store, SystemClock()) in {1, 2}
    assert server.files("cas") == server.files("stage") == []
    assert server.put(record_id, server.whole).status_code == 200
    [named] = server.files("cas")
    os.utime(named, (old, old))
    assert await sweep_content(database, store, SystemClock()) == 0
