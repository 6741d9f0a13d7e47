"""The people and the desk of the letters' story: the archive's own application over the platform's
database and folder, with a clock that leaps. All else of the platform are its real processes.
"""

import base64
import hashlib
import os
from uuid import UUID

import asyncpg
from sebalai_archive.app import archive_app
from sebalai_archive.content.places import ERASE_AFTER_SECONDS
from sebalai_archive.copies import Copies
from sebalai_archive.disposals.jobs import Stores
from sebalai_archive.preservation import store as preservation_store
from sebalai_archive.preservation.jobs import Preserver
from sebalai_archive.reader import enter_as_worker
from sebalai_archive.seals import actions as seals
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.storing import content_store_of, preservation_of
from sebalai_local.home import Home
from sebalai_local.processes import member_environment
from sebalai_shared.caller import Caller
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.clock import FixedClock
from sebalai_shared.testing.http import Asserter, in_process, system

AGENCY = "dinsos-pmd"
OFFICE = system(f"ID-BB/GOV/{AGENCY}/surat", "archive.write")
OPERATOR = system("ID-BB/GOV/diskominfo/operasi", "platform.operate")


class LeapingArchive:
    """Calls as anyone, by a fresh assertion each time, at the hour the story has reached."""

    def __init__(self, platform, folder, monkeypatch):
        for name, value in member_environment(
            Home(platform.home, platform.base), "archive"
        ).items():
            monkeypatch.setenv(name, value)
        self.clock = FixedClock(SystemClock().now())
        self.asserter = Asserter(self.clock)
        keys = self.asserter.write_keys(folder / "callers.json")
        self.settings = ArchiveSettings.from_environment().model_copy(
            update={"caller_keys_file": keys}
        )
        self.database = Database(self.settings)
        self.app = archive_app(self.settings, self.database, self.clock)
        self.store = content_store_of(self.settings)
        at = preservation_of(self.settings)
        self.stores = Stores(self.store, Copies(self.store.place, None), at)
        self.preserver = Preserver(self.database, self.store, at, SystemClock())
        self.evidence = None

    async def call(self, who, method, path, **options):
        if isinstance(who, str):
            who = Caller(kind="civil_servant", subject=who, agency=AGENCY)
        async with in_process(self.app, self.asserter.headers(who, "archive")) as http:
            more = options.pop("headers", {}) | {"idempotency-key": str(uuid7())}
            return await http.request(method, f"/v1/{path}", headers=more, **options)

    async def done(self, who, method, path, **options):
        """The answer's body, of a call that must succeed."""
        answer = await self.call(who, method, path, **options)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def refused(self, status, who, method, path, **options):
        answer = await self.call(who, method, path, **options)
        assert answer.status_code == status, answer.text

    async def record(self, content, **facts):
        """A declared record of the office."""
        made = await self.done(OFFICE, "POST", "records", json=facts)
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        headers = {"content-digest": f"sha-256=:{digest}:"}
        path = f"records/{made['id']}"
        await self.done(OFFICE, "PUT", f"{path}/content", content=content, headers=headers)
        await self.done(OFFICE, "POST", f"{path}/declaration")
        return made["id"]

    async def file_of(self, content):
        """Where the bytes of `content` lie, so old that no upload can be under way."""
        async with self.database.transaction() as session:
            sha256 = hashlib.sha256(content).hexdigest()
            kept = await seals.locate(session, sha256=sha256, size=len(content))
        path = self._aged(kept.stored)
        assert (content in path.read_bytes()) == (kept.seal is None)
        return path

    def _aged(self, stored):
        path = self.store.place.path(stored)
        old = SystemClock().now().timestamp() - ERASE_AFTER_SECONDS - 60
        os.utime(path, (old, old))
        return path

    async def age_documents(self, record):
        """The same for what preservation wrote of a record, as late as its worker came by."""
        async with self.database.transaction() as session:
            await enter_as_worker(session, self.clock.now())
            for version in await preservation_store.versions(session, UUID(record)):
                sha256 = version.document_sha256
                seal = await seals.hold(session, record_id=version.record_id, sha256=sha256)
                self._aged(seal.stored if seal is not None else sha256)

    async def told(self, *subjects):
        """Ids and types of every fact about these subjects, as the archive's outbox holds them."""
        connection = await asyncpg.connect(self.settings.database_dsn())
        try:
            rows = await connection.fetch(
                "SELECT id::text, type FROM outbox WHERE document->>'subject' = ANY($1) "
                "ORDER BY seq",
                list(subjects),
            )
        finally:
            await connection.close()
        return [(row["id"], row["type"]) for row in rows]
