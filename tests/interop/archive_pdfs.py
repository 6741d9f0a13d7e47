"""Broken and odd PDFs out of the source packages of others, through a real archive.

    .venv/bin/python tests/interop/archive_pdfs.py [FOLDER OF SOURCE PACKAGES]

Fetches the packages that pdfs.txt pins by hash, unless the folder (default: tests/interop/.pdfs)
holds them, and never unpacks them. Each PDF is drafted, taken, declared, looked into and indexed as
the worker does, and must come back byte for byte with a clear answer; memory is watched.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from sebalai_local.engines import Engines

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from archive_ocfl import declare  # noqa: E402
from sebalai_archive.examinations.jobs import examine_contents  # noqa: E402
from sebalai_archive.loading import load_reference  # noqa: E402
from sebalai_archive.search.jobs import index_records  # noqa: E402
from sebalai_archive.settings import ArchiveSettings  # noqa: E402
from sebalai_archive.storing import content_store_of  # noqa: E402
from sebalai_shared.clock import SystemClock  # noqa: E402
from sebalai_shared.database import Database  # noqa: E402
from sebalai_shared.reference import ReferenceFolder  # noqa: E402

from services.archive.tests.conftest import owned_database  # noqa: E402
from services.archive.tests.test_crash import Server  # noqa: E402

HERE = Path(__file__).parent
PINS, FOLDER = HERE / "pdfs.txt", HERE / ".pdfs"
EXPECTED = 62
CHILD_MIB, SERVER_MIB = 512, 64
PASSES_MAX = 20
WATCH_SECONDS = 0.02


def fetch(folder: Path) -> None:
    """By pip, which checks the hashes; only the packages themselves come as source."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    source = ["--no-deps", "--no-binary", "pikepdf,pdfminer.six", "--require-hashes"]
    subprocess.run([*command, *source, "-r", str(PINS), "-d", str(folder)], check=True)


def pdfs_in(folder: Path) -> dict[str, bytes]:
    """By `package/name`; read out of the archives, in memory."""
    found: dict[str, bytes] = {}
    for package in sorted(folder.glob("*.tar.gz")):
        with tarfile.open(package) as archive:
            for member in archive:
                if member.isfile() and member.name.lower().endswith(".pdf"):
                    file = archive.extractfile(member)
                    found[member.name] = file.read() if file else b""
        print(f"{package.name}: {len(found)} PDFs so far")
    return found


def peak_mib(pid: int) -> float:
    """The most memory the process ever had; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


@contextmanager
def watched() -> Generator[list[float]]:
    """The highest memory (MiB) of the children that look into files, while the block runs."""
    highest, is_over = [0.0], threading.Event()

    def run() -> None:
        while not is_over.wait(WATCH_SECONDS):
            for child in psutil.Process().children():
                highest[0] = max(highest[0], peak_mib(child.pid) if is_reader(child) else 0.0)

    watcher = threading.Thread(target=run)
    watcher.start()
    try:
        yield highest
    finally:
        is_over.set()
        watcher.join()


def is_reader(child: psutil.Process) -> bool:
    try:
        return "sebalai_archive.examine_child" in child.cmdline()
    except psutil.Error:
        return False


async def judge(admin_url: str, folder: Path, pdfs: dict[str, bytes]) -> int:
    """How many of them were not answered as they should be."""
    url = await owned_database(admin_url, "archive_pdfs")
    server = Server(url, folder)
    settings = ArchiveSettings(database_url=url, content_dir=server.content)
    database, store = Database(settings), content_store_of(settings)
    await load_reference(database, ReferenceFolder(ROOT / "deploy/reference"))
    server.start()
    began = peak_mib(server.process.pid)
    try:
        async with httpx.AsyncClient(base_url=server.address, timeout=60) as http:
            made = {name: await take(http, server, name, pdfs[name]) for name in pdfs}
            grown = peak_mib(server.process.pid) - began
            with watched() as highest:
                for _ in range(PASSES_MAX):
                    if not await examine_contents(database, store, SystemClock(), None):
                        break
            indexed = sum([await index_records(database, SystemClock()) for _ in range(3)])
            found = {name: await answer(http, server, made[name]) for name in pdfs}
            damaged = [n for n in pdfs if not await is_whole(http, server, made[n], pdfs[n])]
    finally:
        server.kill()
        await database.close()
    return tell(found, damaged, indexed, (grown, highest[0]))


async def take(http: httpx.AsyncClient, server: Server, name: str, content: bytes) -> str:
    return await declare(
        http, server, content, security_class="biasa", filename=name.rpartition("/")[2]
    )


async def answer(http: httpx.AsyncClient, server: Server, record_id: str) -> tuple[str, str]:
    """State and note of the examination; `stuck` without one."""
    got = await http.get(f"/v1/records/{record_id}/examination", headers=server.headers())
    told = got.json() if got.status_code == 200 else {"state": "stuck"}
    return told["state"], told.get("note") or told.get("puid") or ""


async def is_whole(http: httpx.AsyncClient, server: Server, record_id: str, content: bytes) -> bool:
    got = await http.get(f"/v1/records/{record_id}/content", headers=server.headers())
    return hashlib.sha256(got.content).digest() == hashlib.sha256(content).digest()


def tell(
    found: dict[str, tuple[str, str]], damaged: list[str], indexed: int, grown: tuple[float, float]
) -> int:
    states = Counter(state for state, _ in found.values())
    for name, (state, why) in sorted(found.items()):
        if state not in {"text", "no_text"}:
            print(f"  {name.partition('/')[2]}: {state}: {why}")
    print(f"taken and given back whole: {len(found) - len(damaged)} of {len(found)}")
    print("looked into:", ", ".join(f"{count} {state}" for state, count in states.most_common()))
    print(f"indexed: {indexed}")
    server, child = grown
    print(
        f"memory: server +{server:.0f} MiB (<= {SERVER_MIB}), reader {child:.0f} (<= {CHILD_MIB})"
    )
    is_short = len(found) < EXPECTED or indexed != len(found)
    is_fat = server > SERVER_MIB or not 0 < child <= CHILD_MIB
    return states["stuck"] + len(damaged) + is_short + is_fat


def main() -> int:
    packages = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    if not list(packages.glob("*.tar.gz")):
        packages.mkdir(parents=True, exist_ok=True)
        fetch(packages)
    folder = Path(tempfile.mkdtemp(prefix="sebalai-pdfs-"))
    folder.chmod(0o711)
    try:
        pdfs = pdfs_in(packages)
        with Engines.start(folder, durable=False) as engines:
            url = engines.addresses.postgres_admin_url
            wrong = asyncio.run(judge(url, folder, pdfs))
    finally:
        shutil.rmtree(folder)
    print("archive_pdfs.py:", "every one has its answer" if not wrong else f"{wrong} WRONG")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
