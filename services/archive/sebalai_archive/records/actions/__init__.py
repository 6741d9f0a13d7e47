"""Decisions about records: draft, attach content, declare, find."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock, to_text
from sebalai_shared.events import Event
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.classifications import actions as classifications
from sebalai_archive.content_store import Stored
from sebalai_archive.paging import PageAsk
from sebalai_archive.reader import Reader, SecurityClass, enter_as_worker
from sebalai_archive.records import access, events, store
from sebalai_archive.records.model import (
    DECLARED,
    DRAFT,
    FileUnit,
    Record,
    RecordRetention,
)
from sebalai_archive.records.schema import RecordCreate, RecordDeclare
from sebalai_archive.records.statement import SALT_BYTES, commitment_of, statement_of
from sebalai_archive.retention import actions as retention
from sebalai_archive.seals import actions as seals
from sebalai_archive.standing import actions as standing

__all__ = ["Record", "RecordCreate"]

CLASS_UNKNOWN: SecurityClass = "terbatas"
COUNT_CEILING = 1_000
SAME_CONTENT_MAX = 10
ISSUED_TYPE = "application/pdf"
FROZEN = (
    "security_class",
    "unit",
    "number",
    "development_level",
    "medium",
    "language",
    "condition",
    "protection",
    "location",
    "filename",
)


class RecordUnknown(NotFound):
    slug, title = "record-unknown", "There is no such record, or it is not yours to see"


class MayNotWrite(Forbidden):
    slug, title = "archive-write-missing", "This application may not write to the archive"


class RecordDeclared(Conflict):
    slug, title = "record-declared", "A declared record does not change"


class ContentMissing(Conflict):
    slug, title = "content-missing", "The record has no content yet"


def require_writer(caller: Caller) -> None:
    """Raises `MayNotWrite`."""
    if not access.may_write(caller):
        raise MayNotWrite(f"Ask the operator for scope {access.WRITE} for this application.")


async def draft_record(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: RecordCreate
) -> Record:
    """A record of the caller's own agency. Raises `MayNotWrite`, `FieldInvalid`."""
    require_writer(caller)
    reader = await standing.enter_as(session, clock, caller)
    return await _draft(session, clock, caller, reader.unit, wanted)


async def _draft(
    session: AsyncSession, clock: Clock, caller: Caller, unit: str | None, wanted: RecordCreate
) -> Record:
    """Raises `FieldInvalid`."""
    if not await classifications.is_known(session, caller=caller, code=wanted.classification):
        raise FieldInvalid(
            "/classification", "Take a code that /v1/classifications lists; this one is unknown."
        )
    if wanted.file_unit is not None:
        await _require_open_file(session, caller, wanted.file_unit)
    proposed = await retention.proposed_class(
        session,
        caller=caller,
        code=wanted.classification,
        today=retention.civil_date(clock.now()),
    )
    more = wanted.model_dump(
        exclude={"classification", "file_unit", "security_class", "unit", "dated"}
    )
    record = Record(
        id=uuid7(),
        agency=caller.agency,
        application=caller.application or caller.subject or "",
        subject=caller.subject or "",
        classification_code=wanted.classification,
        file_unit_id=wanted.file_unit,
        security_class=wanted.security_class or proposed or CLASS_UNKNOWN,
        unit=wanted.unit or unit,
        dated=wanted.dated or retention.civil_date(clock.now()),
        state=DRAFT,
        created_at=clock.now(),
        retention=None,
        **more,
    )
    session.add(record)
    await session.flush()
    return record


async def _require_open_file(session: AsyncSession, caller: Caller, file_id: UUID) -> None:
    found = await session.get(FileUnit, file_id)
    if found is None or found.agency != caller.agency or found.closed_at is not None:
        raise FieldInvalid("/file_unit", "Name an open file unit of your agency.")


async def require_draft(
    session: AsyncSession, clock: Clock, *, caller: Caller, record_id: UUID
) -> Record:
    """The record, if the caller may still change it, held until the transaction ends.

    Raises `RecordUnknown`, `MayNotWrite`, `RecordDeclared`.
    """
    reader = await standing.enter_as(session, clock, caller)
    return await _draft_of(session, reader, caller, record_id)


async def _draft_of(
    session: AsyncSession, reader: Reader, caller: Caller, record_id: UUID
) -> Record:
    record = await _lock_own(session, reader, caller, record_id)
    require_writer(caller)
    if record.state == DECLARED:
        raise RecordDeclared("Draft a new record; this one is frozen since its declaration.")
    return record


async def _lock_own(
    session: AsyncSession, reader: Reader, caller: Caller, record_id: UUID
) -> Record:
    """Held; another agency's record is none of the caller's to change, even if public to read."""
    record = await store.lock(session, reader, record_id)
    if record is None or record.agency != caller.agency:
        raise RecordUnknown("Look it up under /v1/records.")
    return record


async def lock_known(
    session: AsyncSession, clock: Clock, *, caller: Caller, record_id: UUID
) -> Record:
    """A record the caller may know of, held until the transaction ends. Raises `RecordUnknown`."""
    reader = await standing.enter_as(session, clock, caller)
    record = await store.lock(session, reader, record_id)
    if record is None:
        raise RecordUnknown("Look it up under /v1/records.")
    return record


async def attach_content(
    session: AsyncSession, clock: Clock, *, record: Record, stored: Stored, media_type: str
) -> Record:
    """Names durable content in the draft; what the draft named before is forgotten."""
    await seals.keep(session, stored, now=clock.now())
    record.content_sha256, record.content_bytes = stored.sha256, stored.size
    record.content_type, record.content_at = media_type, clock.now()
    await session.flush()
    return record


async def declare_record(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    record_id: UUID,
    wanted: RecordDeclare,
) -> Record:
    """Freezes the record and says so. A repetition by a weak link finds it declared and answers
    the same, without a second fact.

    Raises `RecordUnknown`, `MayNotWrite`, `ContentMissing`, `FieldInvalid`, `RecordDeclared` when
    it was declared with another trigger.
    """
    reader = await standing.enter_as(session, clock, caller)
    record = await _lock_own(session, reader, caller, record_id)
    require_writer(caller)
    if record.state == DECLARED:
        return _again(record, wanted)
    if record.content_sha256 is None:
        raise ContentMissing(f"PUT it to /v1/records/{record_id}/content, then declare.")
    return await _declare(session, clock, caller, record, wanted)


async def _declare(
    session: AsyncSession, clock: Clock, caller: Caller, record: Record, wanted: RecordDeclare
) -> Record:
    """Raises `FieldInvalid`."""
    now = clock.now()
    record.retention = await _retention(session, caller, record, wanted, now)
    fact = _freeze(record, now)
    await session.flush()
    await publish(session, fact)
    return record


def _again(record: Record, wanted: RecordDeclare) -> Record:
    kept = record.retention
    if kept is None or (kept.trigger_kind, kept.trigger_date) != (
        wanted.trigger,
        wanted.trigger_date,
    ):
        raise RecordDeclared("It was declared with another trigger; read it to see which.")
    return record


async def _retention(
    session: AsyncSession, caller: Caller, record: Record, wanted: RecordDeclare, now: datetime
) -> RecordRetention:
    trigger = wanted.trigger_date
    if trigger is not None and trigger > retention.civil_date(now):
        raise FieldInvalid("/trigger_date", "A trigger has happened: it lies not in the future.")
    computed = await retention.compute_retention(
        session,
        caller=caller,
        code=record.classification_code,
        trigger=trigger,
        today=retention.civil_date(now),
    )
    rule = computed.rule
    return RecordRetention(
        record_id=record.id,
        rule_code=computed.rule_code,
        rule_version=computed.rule_version,
        offset_months=rule.offset_months if rule else 0,
        exception=rule.exception if rule else None,
        active_years=rule.active_years if rule else None,
        inactive_years=rule.inactive_years if rule else None,
        final_disposition=rule.final_disposition if rule else None,
        trigger_kind=wanted.trigger,
        trigger_date=trigger,
        active_until=computed.dates.active_until,
        inactive_until=computed.dates.inactive_until,
        computed_at=now,
    )


def _freeze(record: Record, now: datetime) -> Event:
    event_id, salt = uuid7(), os.urandom(SALT_BYTES)
    statement = statement_of(
        {
            "id": str(record.id),
            "agency": record.agency,
            "application": record.application,
            "title": record.title,
            "description": record.description,
            "classification": record.classification_code,
            "created_at": to_text(record.created_at),
            "declared_at": to_text(now),
            **{name: getattr(record, name) for name in FROZEN},
            "dated": record.dated.isoformat() if record.dated else None,
            "file_unit": str(record.file_unit_id) if record.file_unit_id else None,
            "content_sha256": record.content_sha256,
            "content_bytes": record.content_bytes,
            "content_type": record.content_type,
        }
    )
    commitment = commitment_of(salt, statement)
    record.state, record.declared_at, record.event_id = DECLARED, now, event_id
    record.salt, record.statement, record.commitment = salt, statement, commitment
    fact = events.RecordDeclared(
        record_id=record.id,
        agency=record.agency,
        application=record.application,
        commitment=commitment,
    )
    return events.declared(event_id, fact, now)


known_to, open_to = store.known_to, store.open_to


async def list_records(
    session: AsyncSession, clock: Clock, *, caller: Caller, state: str | None, page: PageAsk
) -> Sequence[Record]:
    reader = await standing.enter_as(session, clock, caller)
    return await store.page(session, reader, state, page.after, page.limit)


async def count_records(session: AsyncSession, clock: Clock, *, caller: Caller) -> int:
    """How many records the caller may know, at most COUNT_CEILING."""
    reader = await standing.enter_as(session, clock, caller)
    return await store.count(session, reader, COUNT_CEILING)


async def find_record(
    session: AsyncSession, clock: Clock, *, caller: Caller, record_id: UUID
) -> Record:
    """Raises `RecordUnknown`."""
    reader = await standing.enter_as(session, clock, caller)
    record = await store.find(session, reader, record_id)
    if record is None:
        raise RecordUnknown("Look it up under /v1/records.")
    return record


async def same_content(
    session: AsyncSession, clock: Clock, *, caller: Caller, record: Record
) -> Sequence[UUID]:
    """Other records of equal bytes, as far as the caller may know of them; in a transaction that
    found the record for that caller.
    """
    reader = await standing.reader_of(session, clock.now(), caller)
    return (await store.same_content(session, reader, [record], SAME_CONTENT_MAX))[record.id]


async def commit(session: AsyncSession, *, record_id: UUID, statement: str) -> str:
    """A commitment to a statement about a declared record, under its own salt: destroyed with it.
    The archive itself asks.
    """
    record = await session.get(Record, record_id)
    if record is None or record.salt is None:
        raise RuntimeError(f"record {record_id} has no salt")
    return commitment_of(record.salt, statement)


async def declare_issued(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    facts: Mapping[str, object],
    stored: Stored,
    maker: str | None = None,
) -> Record:
    """A record of what another slice has made or got, content and all, declared at once; `facts`
    are the fields of `RecordCreate`. That slice has decided that the caller may: the archive itself
    files it, also when the caller could not read a record of that class. Who made it may read it:
    the caller, or `maker`, which is empty for what came from outside.

    Raises `FieldInvalid`.
    """
    unit = (await standing.reader_of(session, clock.now(), caller)).unit
    await enter_as_worker(session, clock.now())
    wanted = RecordCreate.model_validate(facts)
    record = await _draft(session, clock, caller, unit, wanted)
    record.subject = record.subject if maker is None else maker
    await attach_content(session, clock, record=record, stored=stored, media_type=ISSUED_TYPE)
    return await _declare(session, clock, caller, record, RecordDeclare())
