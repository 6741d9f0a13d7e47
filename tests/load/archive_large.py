"""Suite `archive-large`: a gibibyte (SEBALAI_BENCH_BYTES for fewer) into the archive by a resumable
upload whose server is killed in the middle, and out again: how far the archive's memory grows over
where it began, and whether what comes back is what was sent. Once public, once sealed.
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
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
from figures import figure
from sebalai_local.engines import Engines

sys.path.insert(0, str(Path(__file__).parents[2]))

from sebalai_archive.content.keys import add_keys
from sebalai_archive.loading import load_reference
from sebalai_archive.settings import ArchiveSettings
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sebalai_shared.reference import ReferenceFolder

from services.archive.tests.conftest import REFERENCE, owned_database
from services.archive.tests.test_crash import Server

BYTES = int(os.environ.get("SEBALAI_BENCH_BYTES", str(1024**3)))
PIECE_BYTES = 1024**2
GROWTH_MIB = 64
WAIT_SECONDS = 900.0
TUS = {"Tus-Resumable": "1.0.0"}
CLASSES = {"public": "biasa", "sealed": "terbatas"}


class Sent:
    """What is sent: its pieces are all different, and none is kept."""

    def __init__(self) -> None:
        self._base = os.urandom(PIECE_BYTES)
        whole = hashlib.sha256()
        for piece in self.pieces(0, BYTES):
            whole.update(piece)
        self.sha256 = whole.hexdigest()

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            number, skipped = divmod(start, PIECE_BYTES)
            piece = (number.to_bytes(8, "big") + self._base[8:])[skipped:][: end - start]
            yield piece
            start += len(piece)


class Watch:
    """How far a server's memory rose over where it stood when the watch began, in MiB."""

    def __init__(self, server: Server) -> None:
        self._pid = server.process.pid
        Path(f"/proc/{self._pid}/clear_refs").write_text("5")  # forgets the peak (proc(5))
        self._began = psutil.Process(self._pid).memory_info().rss

    def grown(self) -> float:
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        peak = next(line for line in lines if line.startswith("VmHWM"))
        return (int(peak.split()[1]) * 1024 - self._began) / 2**20


def draft(server: Server, security_class: str) -> str:
    wanted = {"title": "Rekaman", "classification": "000.1.5", "security_class": security_class}
    headers = server.headers(idempotency_key=str(uuid7()))
    answer = httpx.post(f"{server.address}/v1/records", json=wanted, headers=headers)
    answer.raise_for_status()
    return str(answer.json()["id"])


def begin(server: Server, record_id: str, sent: Sent) -> str:
    """The path of the upload."""
    named = {"record_id": record_id, "sha256": sent.sha256}
    told = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in named.items())
    headers = server.headers() | TUS | {"Upload-Length": str(BYTES), "Upload-Metadata": told}
    answer = httpx.post(f"{server.address}/v1/uploads", headers=headers)
    answer.raise_for_status()
    return "/v1/" + answer.headers["location"]


def send(server: Server, path: str, start: int, pieces: Iterator[bytes]) -> None:
    told = {"Upload-Offset": str(start), "Content-Type": "application/offset+octet-stream"}
    answer = httpx.patch(
        server.address + path,
        content=pieces,
        headers=server.headers() | TUS | told,
        timeout=WAIT_SECONDS,
    )
    answer.raise_for_status()


def killed_in_the_middle(server: Server, path: str, sent: Sent) -> float:
    """How far memory had grown when the server was killed."""
    watch, grown = Watch(server), 0.0

    def half_then_kill() -> Iterator[bytes]:
        nonlocal grown
        yield from sent.pieces(0, BYTES // 2)
        grown = watch.grown()
        server.kill()
        yield from sent.pieces(BYTES // 2, BYTES)

    try:
        send(server, path, 0, half_then_kill())
    except httpx.TransportError:
        return grown
    raise SystemExit("the server was killed and nobody noticed")


def offset(server: Server, path: str) -> int:
    answer = httpx.head(server.address + path, headers=server.headers() | TUS)
    answer.raise_for_status()
    return int(answer.headers["upload-offset"])


def come_back(server: Server, record_id: str) -> str:
    """SHA-256 of the record's content as it is given out."""
    digest = hashlib.sha256()
    address = f"{server.address}/v1/records/{record_id}/content"
    with httpx.stream("GET", address, headers=server.headers(), timeout=WAIT_SECONDS) as answer:
        answer.raise_for_status()
        for piece in answer.iter_bytes():
            digest.update(piece)
    return digest.hexdigest()


def measure(server: Server, name: str, sent: Sent) -> None:
    record_id = draft(server, CLASSES[name])
    path = begin(server, record_id, sent)
    before = killed_in_the_middle(server, path, sent)
    server.start()
    start = offset(server, path)
    watch, began = Watch(server), time.perf_counter()
    send(server, path, start, sent.pieces(start, BYTES))
    took, after = time.perf_counter() - began, watch.grown()
    figure(f"archive.upload.{name}.kept", start / (BYTES // 2), "of what was sent", ">=", 0.9)
    figure(f"archive.upload.{name}.growth", max(before, after), "MiB", "<=", GROWTH_MIB)
    figure(f"archive.upload.{name}.speed", (BYTES - start) / 1e6 / took, "MB/s")
    watch, began = Watch(server), time.perf_counter()
    is_same = come_back(server, record_id) == sent.sha256
    took = time.perf_counter() - began
    figure(f"archive.download.{name}.growth", watch.grown(), "MiB", "<=", GROWTH_MIB)
    figure(f"archive.download.{name}.speed", BYTES / 1e6 / took, "MB/s")
    figure(f"archive.upload.{name}.whole", int(is_same), "of 1", ">=", 1)


async def prepared(admin_url: str) -> str:
    url = await owned_database(admin_url, "archive_large")
    database = Database(ArchiveSettings(database_url=url))
    await load_reference(database, ReferenceFolder(REFERENCE))
    await database.close()
    return url


def run() -> None:
    folder = Path(tempfile.mkdtemp(prefix="sebalai-bench-"))
    folder.chmod(0o711)
    keys = folder / "content-keys.json"
    add_keys(keys, "first")
    try:
        with Engines.start(folder, durable=True) as engines:
            url = asyncio.run(prepared(engines.addresses.postgres_admin_url))
            server, sent = Server(url, folder), Sent()
            server.environment["SEBALAI_CONTENT_KEYS_FILE"] = str(keys)
            server.start()
            try:
                for name in CLASSES:
                    measure(server, name, sent)
            finally:
                server.kill()
    finally:
        shutil.rmtree(folder)
