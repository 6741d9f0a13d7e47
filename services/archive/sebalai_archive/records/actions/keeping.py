"""Decisions around records: file units, needs to know, relations, loans.

Declared records do not change; what stands here is beside them and has its own story.
"""

from collections.abc import Sequence
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, FieldInvalid, NotFound
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.classifications import actions as classifications
from sebalai_archive.reader import Reader, SecurityClass
from sebalai_archive.records import access, actions, keeping_schema, store
from sebalai_archive.records.keeping_schema import FileUnitOpen
from sebalai_archive.records.model import (
    DECLARED,
    FileUnit,
    Loan,
    Record,
    RecordNeed,
    RecordRelation,
)
from sebalai_archive.retention import actions as retention
from sebalai_archive.standing import actions as standing

__all__ = ["FileUnit", "FileUnitOpen"]

CLASS_UNKNOWN: SecurityClass = "terbatas"
RELATIONS_MAX = 100


class FileUnitUnknown(NotFound):
    slug, title = "file-unit-unknown", "There is no such file unit, or it is not yours"


class FileUnitNumberTaken(Conflict):
    slug, title = "file-unit-number-taken", "Your agency has a file unit of this number"


class NotDeclared(Conflict):
    slug, title = "record-not-declared", "The record is still a draft"


class RecordLent(Conflict):
    slug, title = "record-lent", "The record is out on loan"


class LoanUnknown(NotFound):
    slug, title = "loan-unknown", "The record is not on loan"


async def own_record(
    session: AsyncSession, clock: Clock, *, caller: Caller, record_id: UUID
) -> Record:
    """A record of the caller's own archive. Raises `RecordUnknown`, `MayNotWrite`."""
    actions.require_writer(caller)
    record = await actions.find_record(session, clock, caller=caller, record_id=record_id)
    if record.agency != caller.agency:
        raise actions.RecordUnknown("Look it up under /v1/records.")
    return record


async def open_file_unit(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: FileUnitOpen
) -> FileUnit:
    """Raises `MayNotWrite`, `FieldInvalid`, `FileUnitNumberTaken`."""
    actions.require_writer(caller)
    code = wanted.classification
    if not await classifications.is_known(session, caller=caller, code=code):
        raise FieldInvalid("/classification", "Take a code that /v1/classifications lists.")
    taken = select(FileUnit.id).where(
        FileUnit.agency == caller.agency, FileUnit.number == wanted.number
    )
    if await session.scalar(taken) is not None:
        raise FileUnitNumberTaken("Take another number.")
    proposed = await retention.proposed_class(
        session, caller=caller, code=code, today=retention.civil_date(clock.now())
    )
    made = FileUnit(
        id=uuid7(),
        agency=caller.agency or "",
        unit=wanted.unit,
        number=wanted.number,
        title=wanted.title,
        classification_code=code,
        security_class=wanted.security_class or proposed or CLASS_UNKNOWN,
        opened_at=clock.now(),
        opened_by=caller.subject or "",
    )
    session.add(made)
    await session.flush()
    return made


async def find_file_unit(session: AsyncSession, *, caller: Caller, file_id: UUID) -> FileUnit:
    """Raises `FileUnitUnknown`."""
    found = await session.get(FileUnit, file_id)
    if found is None or found.agency != caller.agency:
        raise FileUnitUnknown("Open one by POST /v1/file-units.")
    return found


async def file_unit_numbered(
    session: AsyncSession, *, caller: Caller, number: str
) -> FileUnit | None:
    """The caller's agency's own."""
    own = select(FileUnit).where(FileUnit.agency == caller.agency, FileUnit.number == number)
    return await session.scalar(own)


def may_know_file_unit(reader: Reader, unit: FileUnit) -> bool:
    """By the same rule as a record of its class: its title tells of what lies in it."""
    facts = access.Facts(unit.agency, unit.unit, unit.security_class, True, unit.opened_by)
    return access.may_know(reader, facts)


async def close_file_unit(
    session: AsyncSession, clock: Clock, *, caller: Caller, file_id: UUID
) -> FileUnit:
    """Closed, it takes no more records; closing again changes nothing.

    Raises `MayNotWrite`, `FileUnitUnknown`.
    """
    actions.require_writer(caller)
    found = await find_file_unit(session, caller=caller, file_id=file_id)
    if found.closed_at is None:
        found.closed_at = clock.now()
        await session.flush()
    return found


async def give_need(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    record_id: UUID,
    wanted: keeping_schema.NeedGive,
) -> RecordNeed:
    """The owner names who has to know. Raises `RecordUnknown`, `MayNotWrite`, `FieldInvalid`."""
    await own_record(session, clock, caller=caller, record_id=record_id)
    if wanted.kind == "case" and wanted.reference is None:
        raise FieldInvalid("/reference", "A case has a number.")
    made = RecordNeed(
        id=uuid7(),
        record_id=record_id,
        given_by=caller.subject or "",
        valid_from=clock.now(),
        **wanted.model_dump(),
    )
    session.add(made)
    await session.flush()
    return made


async def name_addressee(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    record: Record,
    subject: str,
    reason: str,
) -> None:
    """For a letter that was just filed: who it is for has to know it, though the caller may not."""
    need = RecordNeed(
        id=uuid7(),
        record_id=record.id,
        kind="addressee",
        agency=record.agency,
        subject=subject,
        reason=reason,
        given_by=caller.subject or "",
        valid_from=clock.now(),
    )
    session.add(need)
    await session.flush()


async def relate(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    record_id: UUID,
    wanted: keeping_schema.RelationAdd,
) -> Sequence[RecordRelation]:
    """Raises `RecordUnknown`, `MayNotWrite`, `FieldInvalid`."""
    await own_record(session, clock, caller=caller, record_id=record_id)
    if wanted.record == record_id:
        raise FieldInvalid("/record", "A record is not related to itself.")
    await actions.find_record(session, clock, caller=caller, record_id=wanted.record)
    await session.merge(
        RecordRelation(
            record_id=record_id, kind=wanted.kind, other_id=wanted.record, at=clock.now()
        )
    )
    await session.flush()
    return await relations_of(session, clock, caller=caller, record_id=record_id)


async def relations_of(
    session: AsyncSession, clock: Clock, *, caller: Caller, record_id: UUID
) -> Sequence[RecordRelation]:
    """Those whose other end the caller may know as well. Raises `RecordUnknown`."""
    await actions.find_record(session, clock, caller=caller, record_id=record_id)
    reader = await standing.enter_as(session, clock, caller)
    return await store.relations(session, reader, record_id, RELATIONS_MAX)


async def lend_record(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    record_id: UUID,
    wanted: keeping_schema.LoanAsk,
) -> Loan:
    """Raises `RecordUnknown`, `MayNotWrite`, `NotDeclared`, `RecordLent`, `FieldInvalid`."""
    record = await own_record(session, clock, caller=caller, record_id=record_id)
    now = clock.now()
    if record.state != DECLARED:
        raise NotDeclared("Declare it first.")
    if wanted.due_at <= now:
        raise FieldInvalid("/due_at", "A loan ends in the future.")
    if await store.open_loan(session, record_id) is not None:
        raise RecordLent("Wait until it is returned.")
    made = Loan(id=uuid7(), record_id=record_id, lent_at=now, **wanted.model_dump())
    session.add(made)
    await session.flush()
    return made


async def return_record(
    session: AsyncSession, clock: Clock, *, caller: Caller, record_id: UUID
) -> Loan:
    """Raises `RecordUnknown`, `MayNotWrite`, `LoanUnknown`."""
    await own_record(session, clock, caller=caller, record_id=record_id)
    found = await store.open_loan(session, record_id)
    if found is None:
        raise LoanUnknown("There is nothing to return.")
    found.returned_at = clock.now()
    await session.flush()
    return found
