"""Decisions about packages: what goes into one, and what becomes of one that came."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.problems import Conflict, NotFound, Problem
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content_store import ContentStore, Stored
from sebalai_archive.examinations import actions as examinations
from sebalai_archive.packages import store
from sebalai_archive.packages.bag_reading import Bag
from sebalai_archive.packages.composing import Wanted
from sebalai_archive.packages.facts import FileUnitFacts
from sebalai_archive.packages.judging import RECORDS_MAX, Packaged, records_in
from sebalai_archive.packages.schema import ImportedRead
from sebalai_archive.reader import SecurityClass
from sebalai_archive.records import actions as records
from sebalai_archive.records.actions import Record, keeping, opening
from sebalai_archive.seals import actions as seals

WHAT = "package"


class PackageEmpty(NotFound):
    slug, title = "package-empty", "There is nothing in it that you may take away"


class PackageTooLarge(Problem):
    status, slug, title = 413, "package-too-large", "The package is too large"


class ContentMissing(Conflict):
    slug, title = "package-record-is-draft", "A draft goes into no package"


class SourceChanged(Conflict):
    slug, title = "package-source-changed", "An earlier package brought other content by this name"


class FileUnitClosed(Conflict):
    slug, title = "file-unit-closed", "The file unit takes no more records"


async def pack_file_unit(
    session: AsyncSession, clock: Clock, *, caller: Caller, file_id: UUID
) -> list[Wanted]:
    """The declared records of the agency's file unit that the caller may open; the rest is not
    told of. Each opening is logged.

    Raises `FileUnitUnknown`, `ContentInfected`, `PackageEmpty`, `PackageTooLarge`.
    """
    unit = await keeping.find_file_unit(session, caller=caller, file_id=file_id)
    found = await opening.open_file(
        session, clock, caller=caller, file_id=file_id, what=WHAT, limit=RECORDS_MAX
    )
    if not found:
        raise PackageEmpty("Declare records into the file unit first.")
    if len(found) > RECORDS_MAX:
        raise PackageTooLarge(f"It has more than {RECORDS_MAX} records; name them by `record`.")
    return [await _wanted(session, record, {unit.id: unit}) for record in found]


async def pack_records(
    session: AsyncSession, clock: Clock, *, caller: Caller, ids: Sequence[UUID]
) -> list[Wanted]:
    """These records, or none: whoever may not open one gets no package.

    Raises `RecordUnknown`, `ContentClosed`, `ContentDestroyed`, `ContentInfected`,
    `ContentMissing`.
    """
    found: list[Wanted] = []
    units: dict[UUID, keeping.FileUnit] = {}
    for record_id in dict.fromkeys(ids):
        record = await opening.open_record(
            session, clock, caller=caller, record_id=record_id, what=WHAT
        )
        if record.declared_at is None:
            raise ContentMissing("Declare it first: a package holds what no longer changes.")
        if record.file_unit_id and record.agency == caller.agency:
            unit = await keeping.find_file_unit(session, caller=caller, file_id=record.file_unit_id)
            units[unit.id] = unit
        found.append(await _wanted(session, record, units))
    return found


async def _wanted(
    session: AsyncSession, record: Record, units: Mapping[UUID, keeping.FileUnit]
) -> Wanted:
    """Another agency's file unit is not told of: its title is that agency's."""
    looked = await examinations.found_in(session, sha256=record.content_sha256 or "")
    unit = units.get(record.file_unit_id) if record.file_unit_id else None
    stored = await seals.locate(
        session,
        sha256=record.content_sha256 or "",
        size=record.content_bytes or 0,
        security_class=record.security_class,
    )
    return Wanted(record, unit, looked.puid if looked else None, stored)


async def import_package(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    packaged: Sequence[tuple[Packaged, Stored]],
) -> list[ImportedRead]:
    """A draft of the caller's agency for each record; their contents are in the store already. What
    an earlier package brought is answered, not made again.

    Raises `MayNotWrite`, `FieldInvalid`, `SourceChanged`, `FileUnitClosed`.
    """
    records.require_writer(caller)
    agency = caller.agency or ""
    await store.lock_agency(session, agency)
    units: dict[str, UUID] = {}
    return [await _import(session, clock, caller, one, units) for one in packaged]


async def _import(
    session: AsyncSession,
    clock: Clock,
    caller: Caller,
    one: tuple[Packaged, Stored],
    units: dict[str, UUID],
) -> ImportedRead:
    (packaged, stored), agency = one, caller.agency or ""
    facts = packaged.facts
    before = await store.imported(session, agency, facts.source)
    if before is not None:
        record_id, sha256 = before
        if sha256 != facts.content.sha256:
            raise SourceChanged(f"{facts.source} came with other bytes as record {record_id}.")
        return ImportedRead(source=facts.source, record=record_id, is_new=False)
    file_unit = await _unit(session, clock, caller, facts.file_unit, units)
    known = {"file_unit": file_unit, "security_class": class_of(packaged)}
    wanted = facts.record.model_copy(update=known)
    record = await records.draft_record(session, clock, caller=caller, wanted=wanted)
    await records.attach_content(
        session, clock, record=record, stored=stored, media_type=facts.content.type
    )
    await store.keep(session, agency, facts.source, record.id, stored.sha256)
    return ImportedRead(source=facts.source, record=record.id, is_new=True)


async def _unit(
    session: AsyncSession,
    clock: Clock,
    caller: Caller,
    facts: FileUnitFacts | None,
    units: dict[str, UUID],
) -> UUID | None:
    """The agency's file unit of that number, opened if there is none."""
    if facts is None:
        return None
    if facts.number not in units:
        found = await keeping.file_unit_numbered(session, caller=caller, number=facts.number)
        if found is None:
            wanted = keeping.FileUnitOpen.model_validate(facts.model_dump())
            found = await keeping.open_file_unit(session, clock, caller=caller, wanted=wanted)
        if found.closed_at is not None:
            raise FileUnitClosed(f"Your agency's file unit {facts.number} is closed.")
        units[facts.number] = found.id
    return units[facts.number]


def class_of(packaged: Packaged) -> SecurityClass:
    return packaged.facts.record.security_class or records.CLASS_UNKNOWN


async def store_contents(
    content: ContentStore, bag: Bag, packaged: Sequence[Packaged]
) -> list[tuple[Packaged, Stored]]:
    """Durable, and sealed by class, before any row names them. Raises `OSError`, `BagRefused`."""
    return [
        (
            one,
            await content.put(
                _fed(bag, one.path), bytes.fromhex(one.facts.content.sha256), class_of(one)
            ),
        )
        for one in packaged
    ]


async def _fed(bag: Bag, path: str) -> AsyncGenerator[bytes]:
    for chunk in bag.chunks(path):
        yield chunk


judge = records_in
