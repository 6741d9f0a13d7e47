"""The archive's metadata made anew: from the OCFL root, the copies of the seals, the class keys
and, to know that nothing is missing, the ledger's facts. Into a
database that is migrated and loaded.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_archive.content.frames import Opener, SealBroken
from sebalai_archive.content.objects import Preservation
from sebalai_archive.content.ocfl import files_of
from sebalai_archive.content_store import ContentStore, Stored
from sebalai_archive.preservation import store
from sebalai_archive.preservation.actions import DOCUMENT, SEALED
from sebalai_archive.preservation.model import PreservedVersion
from sebalai_archive.reader import enter_as_worker
from sebalai_archive.records.events import DECLARED
from sebalai_archive.seals import actions as seals

RECORD_TABLES = ("file_unit", "record")


@dataclass(slots=True)
class Rebuilt:
    """What came of it. `missing`: the ledger knows them and no object does; `differing`: what was
    declared is not what the ledger holds; `unreadable`: objects that nothing opens, by id.
    """

    rows: dict[str, int] = field(default_factory=dict[str, int])
    contents: int = 0
    missing: list[str] = field(default_factory=list[str])
    differing: list[str] = field(default_factory=list[str])
    unreadable: list[str] = field(default_factory=list[str])

    @property
    def is_whole(self) -> bool:
        return not (self.missing or self.differing or self.unreadable)


def declared_in(lines: Iterable[str]) -> dict[str, str]:
    """Commitments by record id, from facts of the ledger: CloudEvents, one a line."""
    found: dict[str, str] = {}
    for line in lines:
        event = json.loads(line)
        if event["type"] == DECLARED:
            found[event["data"]["record_id"]] = event["data"]["commitment"]
    return found


class Rebuilder:
    def __init__(
        self, database: Database, content: ContentStore, at: Preservation, clock: Clock
    ) -> None:
        self._database, self._content, self._at, self._clock = database, content, at, clock

    async def rebuild(self, ledger: Mapping[str, str]) -> Rebuilt:
        """Twice changes nothing. Relations come last, because they name two records."""
        done, seen = Rebuilt(), dict[str, str]()
        for tables in (RECORD_TABLES, tuple(t for t in store.ROWS if t not in RECORD_TABLES)):
            is_first = tables is RECORD_TABLES
            async for path, document in self._documents(done if is_first else Rebuilt()):
                await self._make(tables, document, done)
                if is_first:
                    _judge(document["record"][0], ledger, seen, done)
                    await self._take_contents(path, done)
        done.missing = sorted(set(ledger) - set(seen))
        return done

    async def _documents(self, done: Rebuilt) -> AsyncIterator[tuple[Path, dict[str, Any]]]:
        for path in self._at.root.objects():
            inventory = json.loads((path / "inventory.json").read_bytes())
            try:
                yield path, self._document(path, inventory)
            except (OSError, SealBroken, ValueError) as error:
                done.unreadable.append(f"{inventory['id']}: {type(error).__name__}")

    def _document(self, path: Path, inventory: Mapping[str, Any]) -> dict[str, Any]:
        files = files_of(inventory)
        name = DOCUMENT if DOCUMENT in files else DOCUMENT + SEALED
        raw = (path / inventory["manifest"][files[name]][0]).read_bytes()
        if name.endswith(SEALED):
            raw = self._opened(files[name], raw)
        return json.loads(raw)

    def _opened(self, stored: str, raw: bytes) -> bytes:
        content = self._at.seals.find(stored)
        if content is None or content.seal is None:
            raise SealBroken("no seal is kept of it")
        seal = content.seal
        key = self._content.keys.unwrap(seal.security_class, content.sha256, seal.wrapped)
        return Opener(key, content.size).open(raw, 0, content.size)

    async def _make(
        self, tables: Iterable[str], document: Mapping[str, Any], done: Rebuilt
    ) -> None:
        async with self._database.transaction() as session:
            await enter_as_worker(session, self._clock.now())
            for table in tables:
                made = await store.make_anew(session, table, json.dumps(document[table]))
                done.rows[table] = done.rows.get(table, 0) + made

    async def _take_contents(self, path: Path, done: Rebuilt) -> None:
        """Bytes back into the store, seals and versions back into their tables."""
        inventory = json.loads((path / "inventory.json").read_bytes())
        now = self._clock.now()
        for stored, paths in inventory["manifest"].items():
            if await self._content.place.size(stored) is None:
                await self._content.place.keep(path / paths[0], stored, is_ours=False)
                done.contents += 1
            content = self._at.seals.find(stored)
            if content is not None:
                async with self._database.transaction() as session:
                    await seals.keep(session, content, now=now)
        async with self._database.transaction() as session:
            for version in self._versions(inventory):
                await store.add(session, version)

    def _versions(self, inventory: Mapping[str, Any]) -> Iterable[PreservedVersion]:
        record_id = UUID(inventory["id"])
        for name, version in inventory["versions"].items():
            for digest, paths in version["state"].items():
                if paths[0].removesuffix(SEALED) == DOCUMENT:
                    content = self._at.seals.find(digest)
                    told = content or Stored(digest, 0)
                    yield PreservedVersion(
                        record_id=record_id,
                        version=int(name[1:]),
                        document_sha256=told.sha256,
                        document_bytes=told.size,
                        at=datetime.fromisoformat(version["created"]),
                    )


def _judge(
    record: Mapping[str, Any], ledger: Mapping[str, str], seen: dict[str, str], done: Rebuilt
) -> None:
    """The statement under its salt must be what the ledger holds; of a destroyed record the salt is
    gone, and only the commitment itself is compared.
    """
    record_id, commitment = record["id"], record["commitment"]
    seen[record_id] = commitment
    if record["salt"] is not None:
        salt = bytes.fromhex(record["salt"].removeprefix("\\x"))
        made = hashlib.sha256(salt + record["statement"].encode()).hexdigest()
        if made != commitment:
            done.differing.append(record_id)
            return
    if ledger and ledger.get(record_id, commitment) != commitment:
        done.differing.append(record_id)
