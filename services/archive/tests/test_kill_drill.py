"""Kills of the service and of its database while records come in, at random moments.

Every acknowledged record has its bytes and its fact to be proven; no fact is without its record.
SEBALAI_ARCHIVE_KILLS says how many kills (two by default: one of each; 200 for the long drill).
"""

import base64
import hashlib
import os
import random
import secrets
import shutil
import signal
import tempfile
import threading
import time
from pathlib import Path

import asyncpg
import httpx
import pytest
from sebalai_archive.content.keys import add_keys
from sebalai_archive.loading import load_reference
from sebalai_archive.seals import actions as seals
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.storing import content_store_of
from sebalai_local.engines import free_ports
from sebalai_local.engines.postgres import Postgres
from sebalai_local.launching import launch
from sebalai_shared.database import Database

from services.archive.tests.conftest import owned_database
from services.archive.tests.test_crash import Server, wait_for

KILLS = int(os.environ.get("SEBALAI_ARCHIVE_KILLS", "2"))
CALLERS = 3
CONTENT_BYTES = 40_000


class Durable:
    """A PostgreSQL of its own, with fsync, that can be killed and comes back by its log."""

    def __init__(self, folder):
        self.folder = folder
        self.engine = Postgres(folder, free_ports()[0], secrets.token_urlsafe(24), True)

    def start(self):
        self.process = launch(self.engine.prepare(), self.folder / "logs" / "postgres.log")
        wait_for(self.engine.is_ready)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        # The orphaned backends leave once they notice; the next server must not meet them.
        time.sleep(1.0)


@pytest.fixture
def postgres():
    folder = Path(tempfile.mkdtemp(prefix="sebalai-kills-"))
    folder.chmod(0o711)
    running = Durable(folder)
    try:
        running.start()
        yield running
    finally:
        running.kill()
        shutil.rmtree(folder, ignore_errors=True)


class Ingest:
    """Callers that draft, send and declare until told to stop; what was acknowledged is kept."""

    def __init__(self, server):
        self.server, self.acknowledged, self.stopped = server, {}, threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(CALLERS)]

    def run(self):
        while not self.stopped.is_set():
            content = os.urandom(CONTENT_BYTES)
            try:
                record_id = self.server.draft()
                self.one(record_id, content)
            except (httpx.TransportError, AssertionError, KeyError, ValueError):
                time.sleep(0.05)

    def one(self, record_id, content):
        digest = hashlib.sha256(content).digest()
        told = base64.b64encode(digest).decode()
        path = f"{self.server.address}/v1/records/{record_id}"
        put = httpx.put(
            f"{path}/content",
            content=content,
            headers=self.server.headers(content_digest=f"sha-256=:{told}:"),
            timeout=30,
        )
        assert put.status_code == 200
        declared = httpx.post(f"{path}/declaration", headers=self.server.headers(), timeout=30)
        assert declared.status_code == 200
        self.acknowledged[record_id] = (digest.hex(), declared.json()["declaration"]["event_id"])


@pytest.mark.drill
@pytest.mark.timeout(600 + 60 * KILLS)
async def test_what_was_acknowledged_survives_every_kill(postgres, reference, tmp_path):
    url = await owned_database(postgres.engine.admin_url, "archive_kills")
    database = Database(ArchiveSettings(database_url=url))
    await load_reference(database, reference)
    await database.close()
    keys = tmp_path / "content-keys.json"
    add_keys(keys, "first")
    server = Server(url, tmp_path)
    server.environment["SEBALAI_CONTENT_KEYS_FILE"] = str(keys)
    server.start()
    ingest = Ingest(server)
    try:
        for thread in ingest.threads:
            thread.start()
        for number in range(KILLS):
            before = len(ingest.acknowledged)
            wait_for(lambda: len(ingest.acknowledged) >= before + 2)
            time.sleep(random.uniform(0, 0.3))
            victim = (server, postgres)[number % 2]
            victim.kill()
            victim.start()
        final = len(ingest.acknowledged)
        wait_for(lambda: len(ingest.acknowledged) > final)
    finally:
        ingest.stopped.set()
        for thread in ingest.threads:
            thread.join()
        server.kill()
    settings = ArchiveSettings(database_url=url, content_dir=server.content, content_keys_file=keys)
    await _all_is_there(settings, ingest.acknowledged)


async def _all_is_there(settings, acknowledged):
    assert len(acknowledged) > 2 * KILLS
    connection = await asyncpg.connect(settings.database_dsn())
    try:
        await connection.execute("SELECT set_config('archive.rank', 'worker', false)")
        rows = await connection.fetch(
            "SELECT id, content_sha256, content_bytes, event_id FROM record "
            "WHERE state = 'declared'"
        )
        facts = await connection.fetch(
            "SELECT id, document->'data'->>'record_id' AS record FROM outbox "
            "WHERE type = 'archive.record.declared.v1'"
        )
    finally:
        await connection.close()
    declared = {str(row["id"]): (row["content_sha256"], str(row["event_id"])) for row in rows}
    assert declared.items() >= acknowledged.items()
    assert await _opened(settings, rows) == len(declared)
    assert {(fact["record"], str(fact["id"])) for fact in facts} == {
        (record_id, event_id) for record_id, (_, event_id) in declared.items()
    }
    print(
        f"{KILLS} kills: {len(acknowledged)} records acknowledged, {len(declared)} declared, "
        f"{len(facts)} facts, none lost"
    )


async def _opened(settings, rows):
    """How many contents open and are what their digest says: `read` compares."""
    database, store = Database(settings), content_store_of(settings)
    opened = 0
    for row in rows:
        async with database.transaction() as session:
            kept = await seals.locate(
                session, sha256=row["content_sha256"], size=row["content_bytes"]
            )
        assert kept.seal is not None
        opened += len(await store.read(kept)) == row["content_bytes"]
    await database.close()
    return opened
