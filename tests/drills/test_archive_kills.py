"""kill -9 of the archive and its database at random while records come in: each acknowledged record
has its bytes and a leaf of the ledger that the verifier accepts; no leaf is without its record.

Most kills hit one connection's process, after which PostgreSQL ends every other and goes through
its log; SEBALAI_DRILL_KILLS says how many in all (four by default; 200 for the long drill).
"""

import asyncio
import base64
import hashlib
import os
import random
import signal
import time

import httpx
import psutil
import pytest
from sebalai_local.home import Home
from sebalai_local.state import read
from sebalai_shared.ids import uuid7
from sebalai_verifier.keys import parse_keys
from sebalai_verifier.receipt import verify_receipt

pytestmark = [pytest.mark.drill, pytest.mark.timeout(1_800)]

WRITER = "dkpus/arsip"
CALLERS, CONTENT_BYTES = 4, 40_000
PATIENCE_SECONDS = 120
CONNECTION = "connection"
# How often each is hit; a whole member takes seconds to come back.
VICTIMS = {CONNECTION: 12, "archive": 4, "archive-worker": 2, "exchange-worker": 1, "postgres": 1}
DECLARED = "archive.record.declared.v1"


@pytest.fixture(scope="session")
def kills():
    return int(os.environ.get("SEBALAI_DRILL_KILLS", "4"))


def pid_of(home, victim):
    """None while it does not run."""
    name = "postgres" if victim == CONNECTION else victim
    running = {one.name: one for one in read(home).processes}[name]
    if victim != CONNECTION:
        return running.pid
    if running.state != "ready":
        return None
    children = psutil.Process(running.pid).children()
    mine = [one.pid for one in children if " archive archive " in " ".join(one.cmdline())]
    return random.choice(mine) if mine else None


def kill(home, victim):
    try:
        os.kill(pid_of(home, victim), signal.SIGKILL)
    except (ProcessLookupError, psutil.NoSuchProcess, TypeError):
        return False
    return True


class Ingest:
    """Callers that draft, send and declare until told to stop; `acknowledged` are digests by id."""

    def __init__(self, platform, client):
        self._platform, self._client = platform, client
        self._url = f"{platform.gateway}/api/archive/v1/records"
        self.acknowledged, self.is_over = {}, False

    async def run(self):
        while not self.is_over:
            try:
                await self._one(os.urandom(CONTENT_BYTES))
            except (httpx.HTTPError, KeyError, ValueError):
                await asyncio.sleep(0.1)

    async def _one(self, content):
        wanted = {"title": "Notula", "classification": "000.1.5"}
        draft = await self.ask("POST", "", json=wanted, headers={"idempotency-key": str(uuid7())})
        digest, record_id = hashlib.sha256(content), draft.json()["id"]
        told = {"content-digest": f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"}
        await self.ask("PUT", f"/{record_id}/content", content=content, headers=told)
        declared = await self.ask("POST", f"/{record_id}/declaration")
        event_id = declared.json()["declaration"]["event_id"]
        self.acknowledged[record_id] = digest.hexdigest(), event_id

    async def ask(self, method, path, headers=(), **more):
        token = await asyncio.to_thread(self._platform.token, WRITER)
        told = {"authorization": f"Bearer {token}"} | dict(headers)
        answer = await self._client.request(method, self._url + path, headers=told, **more)
        return answer.raise_for_status()


async def until(condition):
    latest = time.monotonic() + PATIENCE_SECONDS
    while not await condition():
        assert time.monotonic() < latest, "it did not come to pass"
        await asyncio.sleep(0.05)


async def test_what_was_acknowledged_has_its_bytes_and_its_leaf(platform, kills):
    home, done = Home(platform.home, platform.base), dict.fromkeys(VICTIMS, 0)
    async with httpx.AsyncClient(timeout=30) as client:
        ingest = Ingest(platform, client)
        running = [asyncio.create_task(ingest.run()) for _ in range(CALLERS)]
        while sum(done.values()) < kills:
            victim = random.choices(list(VICTIMS), VICTIMS.values())[0]
            known = len(ingest.acknowledged)
            await asyncio.sleep(random.uniform(0, 0.5))
            done[victim] += await asyncio.to_thread(kill, home, victim)

            async def goes_on(known=known):
                return len(ingest.acknowledged) > known

            await until(goes_on)
        ingest.is_over = True
        await asyncio.gather(*running)
        platform.wait_until_well()
        proven = await _all_is_there(platform, ingest, client)
    print(
        f"\ndrill archive: {kills} kills {done}, {len(ingest.acknowledged)} records acknowledged, "
        f"{proven} declared, each with its bytes and a proven leaf; no other leaf"
    )
    assert len(ingest.acknowledged) >= kills


async def _all_is_there(platform, ingest, client):
    """How many were declared, acknowledged or not: every one is whole and proven."""
    rows = await platform.rows("archive", _DECLARED, **{"archive.rank": "worker"})
    declared = {row["record_id"]: row["event_id"] for row in rows}
    for record_id, (sha256, event_id) in ingest.acknowledged.items():
        assert declared[record_id] == event_id
        content = await ingest.ask("GET", f"/{record_id}/content")
        assert hashlib.sha256(content.content).hexdigest() == sha256

    leaves = {}

    async def all_are_leaves():
        found = await platform.rows("exchange", _LEAVES, DECLARED)
        leaves.update({row["record_id"]: row["event_id"] for row in found})
        return len(found) >= len(declared)

    await until(all_are_leaves)
    assert leaves == declared
    await _proven(platform, client, declared.values())
    return len(declared)


async def _proven(platform, client, event_ids):
    keys = parse_keys((platform.home / "ledger.vkey").read_text())
    headers = {"authorization": f"Bearer {await asyncio.to_thread(platform.token, WRITER)}"}
    for event_id in event_ids:
        answer = await client.get(f"{platform.gateway}/receipts/{event_id}", headers=headers)
        assert verify_receipt(answer.raise_for_status().content, keys).id == event_id


_DECLARED = "SELECT id::text AS record_id, event_id::text FROM record WHERE state = 'declared'"
_LEAVES = """
SELECT payload::jsonb->'data'->>'record_id' AS record_id, id::text AS event_id FROM ledger_entry
WHERE payload::jsonb->>'type' = $1 AND idx IS NOT NULL
"""
