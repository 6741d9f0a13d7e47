"""Resumable uploads judged by clients of others: tuspy, and tus-js-client where it is installed.

    python tests/interop/archive_tus.py            # tuspy
    (cd tests/interop && npm ci) && TUS_JS=tests/interop python tests/interop/archive_tus.py

Starts its own database and archive, cuts an upload by kill -9 of the server, goes on, compares.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
from sebalai_local.engines import Engines
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from sebalai_archive.loading import load_reference  # noqa: E402
from sebalai_archive.settings import ArchiveSettings  # noqa: E402
from sebalai_shared.database import Database  # noqa: E402
from sebalai_shared.reference import ReferenceFolder  # noqa: E402

from services.archive.tests.conftest import owned_database  # noqa: E402
from services.archive.tests.test_crash import Server  # noqa: E402

SIZE = 64 * 1024 * 1024
CHUNK = 4 * 1024 * 1024

SCRIPT = """
const fs = require('fs'), tus = require('tus-js-client');
const [endpoint, file, header, record, stop] = process.argv.slice(2);
let from;
const store = new tus.FileUrlStorage(file + '.urls');
const upload = new tus.Upload(fs.createReadStream(file), {
  endpoint, chunkSize: %d, uploadSize: fs.statSync(file).size, urlStorage: store,
  retryDelays: [200, 500, 1000, 2000, 3000], metadata: {record_id: record},
  headers: {'Sebalai-Caller': header}, fingerprint: async () => 'interop',
  onError: e => { console.error(String(e)); process.exit(1) },
  onProgress: sent => {
    if (from === undefined) { from = sent; console.log('from', sent) }
    if (stop && sent > Number(stop)) process.exit(7) },
  onSuccess: () => { console.log('sent'); process.exit(0) } });
upload.findPreviousUploads().then(found => {
  if (found.length) { console.log('resumes'); upload.resumeFromPreviousUpload(found[0]) }
  upload.start() });
"""


@contextmanager
def killed_midway(server: Server) -> Generator[None]:
    """Kills the server once a quarter is on disk, while the block uploads. A client that does not
    notice, or is done before, fails the run: then nothing was cut.
    """
    below, is_over = server.content / "uploads", threading.Event()

    def run() -> None:
        while not is_over.wait(0.005):
            if any(path.stat().st_size > SIZE // 4 for path in below.glob("*")):
                server.kill()
                return

    killer = threading.Thread(target=run)
    killer.start()
    try:
        yield
    except TusCommunicationError as error:
        print("cut:", error)
    else:
        raise AssertionError("the upload was done before the server was killed")
    finally:
        is_over.set()
        killer.join()


def same(server: Server, record_id: str, content: bytes) -> bool:
    answer = httpx.get(
        f"{server.address}/v1/records/{record_id}/content", headers=server.headers(), timeout=60
    )
    answer.raise_for_status()
    return hashlib.sha256(answer.content).digest() == hashlib.sha256(content).digest()


def by_tuspy(server: Server, file: Path, content: bytes) -> None:
    record_id = server.draft()
    client = TusClient(f"{server.address}/v1/uploads", headers=server.headers())
    uploader = client.uploader(
        str(file), chunk_size=CHUNK, metadata={"record_id": record_id}, upload_checksum=True
    )
    with killed_midway(server):
        uploader.upload()
    assert server.process.poll() == -signal.SIGKILL, "the client failed of something else"
    path = uploader.url.partition("/v1/")[2]
    server.start()
    again = TusClient(f"{server.address}/v1/uploads", headers=server.headers()).uploader(
        str(file), url=f"{server.address}/v1/{path}", chunk_size=CHUNK, upload_checksum=True
    )
    print("tuspy resumes at", again.offset)
    assert SIZE // 8 <= again.offset < SIZE
    again.upload()
    assert same(server, record_id, content)
    print("tuspy: whole")


def by_tus_js(server: Server, file: Path, content: bytes, modules: Path) -> None:
    record_id = server.draft()
    script = modules.resolve() / "node_modules" / ".archive_tus.cjs"
    script.write_text(SCRIPT % CHUNK)
    header = server.headers()["Sebalai-Caller"]
    base = ["node", str(script), f"{server.address}/v1/uploads", str(file), header, record_id]
    cut = subprocess.run([*base, str(SIZE // 2)], check=False, capture_output=True, text=True)
    assert cut.returncode == 7, cut.stderr
    done = subprocess.run(base, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "resumes" in done.stdout
    first = int(done.stdout.partition("from ")[2].split()[0])
    assert first > SIZE // 4, f"it began anew: its first {first} bytes were sent again"
    assert same(server, record_id, content)
    print("tus-js-client: resumed, whole")


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="sebalai-tus-"))
    folder.chmod(0o711)
    with Engines.start(folder, durable=False) as engines:
        url = asyncio.run(prepare(engines.addresses.postgres_admin_url))
        server = Server(url, folder)
        content = os.urandom(SIZE)
        file = folder / "payload"
        file.write_bytes(content)
        server.start()
        try:
            by_tuspy(server, file, content)
            if modules := os.environ.get("TUS_JS"):
                by_tus_js(server, file, content, Path(modules))
        finally:
            server.kill()
    shutil.rmtree(folder)


async def prepare(admin_url: str) -> str:
    url = await owned_database(admin_url, "archive_tus")
    database = Database(ArchiveSettings(database_url=url))
    await load_reference(database, ReferenceFolder(ROOT / "deploy/reference"))
    await database.close()
    return url


if __name__ == "__main__":
    main()
