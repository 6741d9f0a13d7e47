import os
from xml.etree import ElementTree as ET

import pytest
from sebalai_archive.harvest.jobs import publish_changes
from sebalai_archive.reader import enter_as_worker
from sebalai_shared.ids import uuid7
from sqlalchemy import text

from services.archive.tests.conftest import NOW

NAMES = {
    "o": "http://www.openarchives.org/OAI/2.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "mods": "http://www.loc.gov/mods/v3",
}
KEEP = text("""
    INSERT INTO record (id, agency, application, title, description, classification_code,
      security_class, state, created_at, content_sha256, content_bytes, content_type, content_at,
      declared_at, event_id, statement, salt, commitment)
    VALUES (:id, :agency, 'a', :title, :description, :code, :security_class, 'declared', :now,
      repeat('0', 64), 0, 'text/plain', :now, :now, :event, '{}', :salt, repeat('0', 64))
""")
OPEN = text("""
    INSERT INTO disposal (id, agency, kind, state, proposer, reviewer, approver, executor,
      witness_legal, witness_supervision, created_at)
    VALUES (:id, 'dinsos-pmd', 'destruction', 'executed', 'a', 'b', 'c', 'd', 'e', 'f', :now)
""")
BURY = text("""
    INSERT INTO tombstone (record_id, disposal_id, at, sha256)
    VALUES (:id, :disposal, :now, repeat('0', 64))
""")


class Shelf:
    """Declares and destroys records straight in the database, as the slices do in the end."""

    def __init__(self, database, clock):
        self.database, self.clock = database, clock

    async def keep(self, **more):
        facts = {
            "id": uuid7(), "agency": "dinsos-pmd", "title": "Notula", "description": None,
            "code": "000.1.5", "security_class": "biasa", "now": NOW, "event": uuid7(),
            "salt": os.urandom(32),
        } | more  # fmt: skip
        async with self.database.transaction() as session:
            await enter_as_worker(session, NOW)
            await session.execute(KEEP, facts)
        return f"urn:uuid:{facts['id']}"

    async def destroy(self, identifier):
        disposal = uuid7()
        async with self.database.transaction() as session:
            await enter_as_worker(session, NOW)
            await session.execute(OPEN, {"id": disposal, "now": NOW})
            record_id = identifier.removeprefix("urn:uuid:")
            await session.execute(BURY, {"id": record_id, "disposal": disposal, "now": NOW})

    async def show(self):
        return await publish_changes(self.database, self.clock)


@pytest.fixture
def shelf(database, clock):
    return Shelf(database, clock)


@pytest.fixture
def ask(anonymous):
    async def send(**arguments):
        named = {name.removesuffix("_"): value for name, value in arguments.items()}
        answer = await anonymous.get("/v1/oai", params=named)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/xml")
        return ET.fromstring(answer.content)  # noqa: S314 - our own answer

    return send


def errors(document):
    return [one.get("code") for one in document.findall("o:error", NAMES)]


def identifiers(document):
    return [one.text for one in document.findall(".//o:header/o:identifier", NAMES)]
