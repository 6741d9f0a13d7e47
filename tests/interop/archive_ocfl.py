"""The archive's OCFL root judged by ocfl-py, a validator of others.

    OCFL_VALIDATE=ocfl-validate.py .venv/bin/python tests/interop/archive_ocfl.py

Starts its own database and archive; declares records public and sealed, empty, with names made to
break paths; lets two of them get a second version; writes the root as the worker does. The whole
root must be valid, and each of four copies with one damage must be refused.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx
from sebalai_local.engines import Engines

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from sebalai_archive.content.keys import add_keys  # noqa: E402
from sebalai_archive.loading import load_reference  # noqa: E402
from sebalai_archive.preservation.jobs import Preserver  # noqa: E402
from sebalai_archive.settings import ArchiveSettings  # noqa: E402
from sebalai_archive.storing import content_store_of, preservation_of  # noqa: E402
from sebalai_shared.clock import SystemClock  # noqa: E402
from sebalai_shared.database import Database  # noqa: E402
from sebalai_shared.ids import uuid7  # noqa: E402
from sebalai_shared.reference import ReferenceFolder  # noqa: E402

from services.archive.tests.conftest import owned_database  # noqa: E402
from services.archive.tests.test_crash import Server  # noqa: E402

VALIDATE = os.environ.get("OCFL_VALIDATE", "ocfl-validate.py")
NAMES = ("n" * 255, "..", "a\u202eb.pdf", "CON", "päş wörd.docx")
CLASSES = ("biasa", "terbatas", "rahasia")
CONTENTS = (b"", b"x", os.urandom(200_000))


def validated(root: Path) -> tuple[bool, str]:
    """The root and each object by name: told the root alone, ocfl-py looks into the objects but
    answers for its structure only.
    """
    objects = sorted(mark.parent for mark in root.rglob("0=ocfl_object_*"))
    done = subprocess.run(
        [VALIDATE, "--quiet", str(root), *map(str, objects)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0, (done.stdout + done.stderr).strip()


async def declare(http: httpx.AsyncClient, server: Server, content: bytes, **facts: str) -> str:
    wanted = {"title": "Arsip", "classification": "000.1.5", **facts}
    headers = server.headers(idempotency_key=str(uuid7()))
    made = await http.post("/v1/records", json=wanted, headers=headers)
    made.raise_for_status()
    path = f"/v1/records/{made.json()['id']}"
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    told = server.headers(content_digest=f"sha-256=:{digest}:")
    (await http.put(f"{path}/content", content=content, headers=told)).raise_for_status()
    (await http.post(f"{path}/declaration", headers=server.headers())).raise_for_status()
    return str(made.json()["id"])


async def write(admin_url: str, folder: Path) -> Path:
    """The root, written."""
    url = await owned_database(admin_url, "archive_ocfl")
    keys = folder / "content-keys.json"
    add_keys(keys, "first")
    server = Server(url, folder)
    server.environment["SEBALAI_CONTENT_KEYS_FILE"] = str(keys)
    settings = ArchiveSettings(database_url=url, content_dir=server.content, content_keys_file=keys)
    database = Database(settings)
    await load_reference(database, ReferenceFolder(ROOT / "deploy/reference"))
    server.start()
    at = preservation_of(settings)
    assert at is not None
    try:
        async with httpx.AsyncClient(base_url=server.address, timeout=60) as http:
            made = [
                await declare(http, server, content, security_class=one, filename=name)
                for one in CLASSES
                for content in CONTENTS
                for name in NAMES
            ]
            clock = SystemClock()
            await Preserver(database, content_store_of(settings), at, clock).preserve()
            for record_id in made[:2]:
                need = {"kind": "leave", "agency": "dp3acskb", "reason": "permohonan"}
                given = await http.post(
                    f"/v1/records/{record_id}/needs",
                    json=need,
                    headers=server.headers(idempotency_key=str(uuid7())),
                )
                given.raise_for_status()
            await look_again(database)
            await Preserver(database, content_store_of(settings), at, clock).preserve()
    finally:
        server.kill()
        await database.close()
    heads = [p for p in at.root.objects() if (p / "v2").is_dir()]
    assert (len(at.root.objects()), len(heads)) == (len(made), 2)
    return at.root.folder


async def look_again(database: Database) -> None:
    from sqlalchemy import text  # noqa: PLC0415

    async with database.transaction() as session:
        await session.execute(text("UPDATE preserved_record SET looked_at = '-infinity'"))


def first(root: Path, pattern: str) -> Path:
    return min(p for p in root.rglob(pattern) if p.is_file())


def flip(root: Path) -> None:
    path = first(root, "content.sealed")
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.unlink()
    path.write_bytes(data)


def lose(root: Path) -> None:
    first(root, "record.json").unlink()


def slip_in(root: Path) -> None:
    first(root, "record.json").with_name("more").write_bytes(b"x")


def forge(root: Path) -> None:
    path = first(root, "inventory.json")
    path.write_bytes(path.read_bytes().replace(b"declared", b"declaree"))


DAMAGES: tuple[Callable[[Path], None], ...] = (flip, lose, slip_in, forge)


def judge(root: Path, folder: Path) -> int:
    is_valid, said = validated(root)
    objects = len(list(root.rglob("0=ocfl_object_*")))
    print(f"ocfl-py, whole root, {objects} objects: {'valid' if is_valid else 'INVALID'}")
    if not is_valid:
        print(said[-2_000:])
    wrong = 0 if is_valid else 1
    for damage in DAMAGES:
        copy = folder / damage.__name__
        shutil.copytree(root, copy)
        damage(copy)
        taken, _ = validated(copy)
        print(f"ocfl-py, {damage.__name__}: {'TAKEN' if taken else 'refused'}")
        wrong += taken
    return wrong


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="sebalai-ocfl-"))
    folder.chmod(0o711)
    try:
        with Engines.start(folder, durable=False) as engines:
            root = asyncio.run(write(engines.addresses.postgres_admin_url, folder))
        return 1 if judge(root, folder) else 0
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    raise SystemExit(main())
