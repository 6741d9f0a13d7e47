"""One record as the files of its CSIP folder; nothing here is read from disk or decided."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_archive.content_store import Stored
from sebalai_archive.describing import CREATOR_PREFIX, description_of, identifier_of
from sebalai_archive.describing.dublin_core import dublin_core
from sebalai_archive.describing.mets import Packed, PackedFile, mets
from sebalai_archive.describing.premis import Happened, PreservedFile, premis
from sebalai_archive.describing.xml import written
from sebalai_archive.packages.facts import RecordFacts, created_at, facts_of
from sebalai_archive.records.actions import Record, keeping

XML, JSON, TEXT = "application/xml", "application/json", "text/plain"
REPRESENTATION = "representations/rep1/data"
FACTS = "metadata/descriptive/record.json"
METS_FILE = "METS.xml"
ABOUT = """\
Paket arsip dari Sebalai. / A package of records from Sebalai.

Isi arsip ada di representations/rep1/data. Uraiannya ada di metadata/descriptive: dc.xml untuk
siapa saja, record.json dengan semua butir (bentuknya di schemas/record.schema.json). Bila ada,
bagian "proof" di record.json membuktikan arsip: SHA-256 atas salt dan statement adalah commitment
yang tercatat di buku besar dengan event_id itu.

The content is in representations/rep1/data, its description in metadata/descriptive. Where there
is a "proof" in record.json: SHA-256 over the salt's bytes and the statement is the commitment that
stands in the ledger under that event_id.
"""
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}\Z")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record that may be given out, with its file unit and its format (PRONOM), where known."""

    record: Record
    file_unit: keeping.FileUnit | None
    puid: str | None
    stored: Stored


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a bag's payload: its bytes, or the content of a record."""

    path: str
    content: bytes | Stored


def entries_of(wanted: Wanted, public_url: str, at: datetime) -> list[Entry]:
    """All files of the record's folder, named by its id, below `data/`."""
    record = wanted.record
    path = f"{REPRESENTATION}/content{_suffix(record.filename)}"
    small = {
        "metadata/descriptive/dc.xml": written(dublin_core(description_of(record, public_url))),
        FACTS: _json(facts_of(record, wanted.file_unit, path).model_dump(mode="json")),
        "metadata/preservation/premis.xml": written(_premis(wanted)),
        "documentation/README.txt": ABOUT.encode(),
        "schemas/record.schema.json": _json(RecordFacts.model_json_schema()),
    }
    small[METS_FILE] = written(mets(_packed(wanted, path, small, at)))
    folder = f"data/{record.id}"
    made = [Entry(f"{folder}/{name}", content) for name, content in small.items()]
    return [*made, Entry(f"{folder}/{path}", wanted.stored)]


def _suffix(filename: str | None) -> str:
    """The name itself is in `record.json`: many a name is no good as a path elsewhere."""
    found = _SUFFIX.search(filename or "")
    return found.group().lower() if found else ""


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _packed(wanted: Wanted, path: str, small: dict[str, bytes], at: datetime) -> Packed:
    record = wanted.record

    def file(name: str, media_type: str) -> PackedFile:
        digest = hashlib.sha256(small[name]).hexdigest()
        return PackedFile(name, media_type, len(small[name]), digest, at)

    content = PackedFile(
        path,
        record.content_type or "application/octet-stream",
        wanted.stored.size,
        wanted.stored.sha256,
        created_at(record),
    )
    return Packed(
        identifier=str(record.id),
        at=at,
        descriptive=file("metadata/descriptive/dc.xml", XML),
        preservation=file("metadata/preservation/premis.xml", XML),
        groups={
            "Documentation": [file("documentation/README.txt", TEXT), file(FACTS, JSON)],
            "Schemas": [file("schemas/record.schema.json", JSON)],
            "Representations/rep1": [content],
        },
    )


def _premis(wanted: Wanted):  # noqa: ANN202 - an Element, as `premis` says
    record = wanted.record
    file = PreservedFile(
        f"urn:sha256:{wanted.stored.sha256}",
        record.filename or "content",
        wanted.stored.sha256,
        wanted.stored.size,
        record.content_type or "application/octet-stream",
        wanted.puid,
    )
    return premis(identifier_of(record), file, _events(record))


def _events(record: Record) -> list[Happened]:
    by = CREATOR_PREFIX + record.agency
    event_id: UUID | None = record.event_id
    made = [
        Happened(
            f"urn:sebalai:record:{record.id}:ingestion",
            "ingestion",
            created_at(record),
            "received, its digest compared with what was announced",
            by,
        )
    ]
    if event_id is not None and record.declared_at is not None:
        what = "declared: frozen, its commitment sent to the ledger"
        made.append(Happened(f"urn:uuid:{event_id}", "registration", record.declared_at, what, by))
    return made
