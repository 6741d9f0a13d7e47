"""Suite `archive`: durable documents, numbers, scrubbing and signatures, with real fsync.

A real `python -m sebalai_archive api` over HTTP for documents; the rest in this process. The load
generator and PostgreSQL share the cores with what is measured.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import documents
import httpx
from figures import figure
from sebalai_local.engines import Engines

sys.path.insert(0, str(Path(__file__).parents[2]))

from sebalai_archive.content.files import FilePlace
from sebalai_archive.content_store import ContentStore
from sebalai_archive.copies import Copies
from sebalai_archive.fixity.jobs import Scrubber
from sebalai_archive.loading import load_reference
from sebalai_archive.numbering.actions import take_agenda
from sebalai_archive.rendering.letters import Letter, Signatory, render
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.signing import trial_authority
from sebalai_archive.signing.file_signer import FileSigner
from sebalai_archive.signing.signer import Intent
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sebalai_shared.reference import ReferenceFolder
from sqlalchemy import text

from services.archive.tests.conftest import REFERENCE, owned_database
from services.archive.tests.test_crash import WANTED, WRITER, Server

CALLERS, ROUNDS = 16, 3
DOCUMENT_BYTES, RECORDS_A_ROUND = 100_000, 240
LARGE_BYTES, LARGE = 64 * 1024**2, 4
NUMBERS, ABORT_EACH = 1_600, 10
SIGNATURES = 100
NUMBERS_TARGET = 500
SCRUB_TARGET_MB, SIGNATURES_TARGET = 200, 25


class Aborted(Exception):
    """A transaction that took a number and then failed."""


async def _shared_out(count: int, work: Callable[[int], Awaitable[None]]) -> float:
    """Does `work` for 0 to count-1 by CALLERS at once; answers the seconds it took."""
    left = iter(range(count))

    async def one() -> None:
        for number in left:
            await work(number)

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(CALLERS)))
    return time.perf_counter() - began


def _headers(server: Server, content: bytes) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    return server.headers(content_digest=f"sha-256=:{digest}:")


async def _draft(http: httpx.AsyncClient, server: Server) -> str:
    headers = server.headers(idempotency_key=str(uuid7()))
    answer = await http.post("/v1/records", json=WANTED, headers=headers)
    answer.raise_for_status()
    return str(answer.json()["id"])


async def _put(http: httpx.AsyncClient, server: Server, record_id: str, content: bytes) -> None:
    address = f"/v1/records/{record_id}/content"
    answer = await http.put(address, content=content, headers=_headers(server, content))
    answer.raise_for_status()


async def _records(server: Server) -> None:
    """Draft, content and declaration."""
    async with httpx.AsyncClient(base_url=server.address, timeout=60) as http:

        async def record(_: int) -> None:
            record_id = await _draft(http, server)
            await _put(http, server, record_id, os.urandom(DOCUMENT_BYTES))
            address = f"/v1/records/{record_id}/declaration"
            (await http.post(address, headers=server.headers())).raise_for_status()

        rates = [
            RECORDS_A_ROUND / await _shared_out(RECORDS_A_ROUND, record) for _ in range(ROUNDS)
        ]
    figure("archive.records.declared", sorted(rates)[ROUNDS // 2], "records/s")


def _abort_each(number: int) -> None:
    if number % ABORT_EACH == 0:
        raise Aborted


async def _numbers(database: Database) -> None:
    """One series; each tenth transaction aborts after it took its number."""

    async def take(number: int) -> None:
        try:
            async with database.transaction() as session:
                await take_agenda(
                    session, SystemClock(), caller=WRITER, book="agenda-masuk", year=2026,
                    letter_id=uuid7(),
                )  # fmt: skip
                _abort_each(number)
        except Aborted:
            pass

    took = await _shared_out(NUMBERS, take)
    kept = NUMBERS - NUMBERS // ABORT_EACH
    async with database.transaction() as session:
        query = "SELECT count(*), min(n), max(n) FROM number WHERE book = 'agenda-masuk'"
        rows, first, last = (await session.execute(text(query))).one()
    assert (rows, first, last) == (kept, 1, kept), (rows, first, last)
    figure("archive.numbers.one_series", kept / took, "numbers/s", ">=", NUMBERS_TARGET)
    figure("archive.numbers.missing", last - rows, "numbers", "<=", 0)


async def _scrub(server: Server, database: Database) -> None:
    """Contents of 64 MiB, as the page cache or the disk gives them, without a limit on the rate."""
    async with httpx.AsyncClient(base_url=server.address, timeout=300) as http:
        for _ in range(LARGE):
            await _put(http, server, await _draft(http, server), os.urandom(LARGE_BYTES))
    store = ContentStore(FilePlace(server.content), LARGE_BYTES)
    scrubber = Scrubber(database, SystemClock(), Copies(store.place, None), None)
    began = time.perf_counter()
    looked_at = await scrubber.scrub(store.place)
    took = time.perf_counter() - began
    assert looked_at == LARGE, looked_at
    figure("archive.scrub", LARGE * LARGE_BYTES / 1e6 / took, "MB/s", ">=", SCRUB_TARGET_MB)


async def _signatures(folder: Path) -> None:
    key, chain, root = (folder / name for name in ("key.pem", "chain.pem", "root.pem"))
    trial_authority.write(key, chain, root, SystemClock().now())
    signer, who = FileSigner(key, chain), Signatory("Sari", "Kepala Dinas")
    letter = Letter(
        "dinas", "Pangkalpinang", "24 November 2026", "1", "Biasa", "Undangan", ["Kepala"],
        ["Dengan hormat."], [], who, "A" * 20, "https://bus.example/v",
    )  # fmt: skip
    pdf = await render(letter, SystemClock().now())
    intent = Intent(who.name, who.position, "Menandatangani", "Pangkalpinang")
    began = time.process_time()
    for _ in range(SIGNATURES):
        await signer.sign(pdf, intent)
    rate = SIGNATURES / (time.process_time() - began)
    figure("archive.signatures.pades", rate, "signatures/s-core", ">=", SIGNATURES_TARGET)


async def _prepared(admin_url: str) -> tuple[str, Database]:
    url = await owned_database(admin_url, "archive_bench")
    database = Database(ArchiveSettings(database_url=url))
    await load_reference(database, ReferenceFolder(REFERENCE))
    return url, database


async def _measure(admin_url: str, folder: Path) -> None:
    url, database = await _prepared(admin_url)
    server = Server(url, folder)
    server.start()
    try:
        await _scrub(server, database)
        await documents.measure(server, url, folder)
        await _records(server)
        await _numbers(database)
        await _signatures(folder)
    finally:
        server.kill()
        await database.close()


def run() -> None:
    folder = Path(tempfile.mkdtemp(prefix="sebalai-bench-"))
    folder.chmod(0o711)
    try:
        with Engines.start(folder, durable=True) as engines:
            asyncio.run(_measure(engines.addresses.postgres_admin_url, folder))
    finally:
        shutil.rmtree(folder)
