"""The harvest judged by a harvester of others, sickle, while records are added and destroyed.

    .venv/bin/python tests/interop/archive_oai.py

Starts its own database and archive. Writers commit out of order, each holding its transaction for
a random while; sickle harvests again and again, each time from the date of the answer before. In
the end it must know every public record, every destroyed one as deleted, and no other.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

from sebalai_local.engines import Engines
from sickle import Sickle
from sickle.oaiexceptions import NoRecordsMatch

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from sebalai_archive.harvest.jobs import publish_changes  # noqa: E402
from sebalai_archive.loading import load_reference  # noqa: E402
from sebalai_archive.reader import enter_as_worker  # noqa: E402
from sebalai_archive.settings import ArchiveSettings  # noqa: E402
from sebalai_shared.clock import SystemClock  # noqa: E402
from sebalai_shared.database import Database  # noqa: E402
from sebalai_shared.ids import uuid7  # noqa: E402
from sebalai_shared.reference import ReferenceFolder  # noqa: E402

from services.archive.tests.conftest import NOW, owned_database  # noqa: E402
from services.archive.tests.harvest.conftest import KEEP, Shelf  # noqa: E402
from services.archive.tests.test_crash import Server  # noqa: E402

WRITERS, RECORDS_A_WRITER, DESTROY_EACH, HIDDEN_EACH = 6, 120, 4, 5
HELD_SECONDS = 0.4
NAMESPACE = "{http://www.openarchives.org/OAI/2.0/}"


class Truth:
    """What was committed, by identifier."""

    def __init__(self) -> None:
        self.public: set[str] = set()
        self.destroyed: set[str] = set()
        self.hidden: set[str] = set()


async def write(database: Database, shelf: Shelf, truth: Truth, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(RECORDS_A_WRITER):
        is_hidden = number % HIDDEN_EACH == 0
        record_id = uuid7()
        async with database.transaction() as session:
            await enter_as_worker(session, NOW)
            facts = {
                "id": record_id, "agency": f"dinas-{seed}", "title": f"Arsip & <{number}>",
                "description": None, "code": "000.1.5", "now": NOW, "event": uuid7(),
                "salt": bytes(32), "security_class": "terbatas" if is_hidden else "biasa",
            }  # fmt: skip
            await session.execute(KEEP, facts)
            await asyncio.sleep(chance.random() * HELD_SECONDS)
        identifier = f"urn:uuid:{record_id}"
        (truth.hidden if is_hidden else truth.public).add(identifier)
        if not is_hidden and number % DESTROY_EACH == 1:
            await asyncio.sleep(chance.random() * HELD_SECONDS)
            await shelf.destroy(identifier)
            truth.destroyed.add(identifier)


async def show(database: Database) -> None:
    while True:
        await publish_changes(database, SystemClock())
        await asyncio.sleep(0.05)


def harvest(address: str, since: str | None, known: dict[str, bool]) -> tuple[str | None, int]:
    """One harvest from a date on; answers the date to go on from, and how many headers came."""
    options = {"metadataPrefix": "oai_dc"} | ({"from": since} if since else {})
    try:
        items = Sickle(f"{address}/v1/oai").ListRecords(**options)
    except NoRecordsMatch:
        return since, 0
    began = ET.fromstring(items.oai_response.raw).findtext(  # noqa: S314 - our own server's
        f"{NAMESPACE}responseDate"
    )
    count = 0
    for item in items:
        known[item.header.identifier] = bool(item.header.deleted)
        count += 1
    return began, count


async def judge(admin_url: str, folder: Path) -> None:
    url = await owned_database(admin_url, "archive_oai")
    database = Database(ArchiveSettings(database_url=url))
    await load_reference(database, ReferenceFolder(ROOT / "deploy/reference"))
    server = Server(url, folder)
    server.start()
    truth, known, rounds, since = Truth(), dict[str, bool](), 0, None
    try:
        said = Sickle(f"{server.address}/v1/oai").Identify()
        assert (said.protocolVersion, said.deletedRecord) == ("2.0", "persistent")
        showing = asyncio.create_task(show(database))
        shelf = Shelf(database, SystemClock())
        writing = asyncio.gather(*(write(database, shelf, truth, n) for n in range(WRITERS)))
        while not writing.done():
            since, _ = await asyncio.to_thread(harvest, server.address, since, known)
            rounds += 1
        await writing
        showing.cancel()
        await publish_changes(database, SystemClock())
        await asyncio.to_thread(harvest, server.address, since, known)
    finally:
        server.kill()
        await database.close()
    deleted = {identifier for identifier, is_deleted in known.items() if is_deleted}
    assert set(known) == truth.public, "records were lost or invented"
    assert deleted == truth.destroyed, "a destroyed record was not told"
    assert not truth.hidden & set(known)
    print(
        f"sickle: {len(known)} public records, {len(deleted)} of them deleted, in {rounds + 1} "
        f"harvests while they changed: none lost; {len(truth.hidden)} hidden ones not seen"
    )


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="sebalai-oai-"))
    folder.chmod(0o711)
    try:
        with Engines.start(folder, durable=False) as engines:
            asyncio.run(judge(engines.addresses.postgres_admin_url, folder))
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
