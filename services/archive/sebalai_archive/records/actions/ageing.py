"""Decisions about a record's retention after its declaration: the trigger comes, a rule changes.

Each change is an event with the dates before and after; nothing changes silently.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sebalai_shared.caller import ANONYMOUS, Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import FieldInvalid
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.reader import enter_as_worker
from sebalai_archive.records import events
from sebalai_archive.records.actions import keeping
from sebalai_archive.records.model import Record, RecordRetention, RetentionEvent
from sebalai_archive.records.schema import TriggerSet
from sebalai_archive.retention import actions as retention

PASS_RECORDS = 500
WORKER = "archive"


async def set_trigger(
    session: AsyncSession, clock: Clock, *, caller: Caller, record_id: UUID, wanted: TriggerSet
) -> Record:
    """The act that starts the clock, or corrects its date, with actor and reason.

    Raises `RecordUnknown`, `MayNotWrite`, `NotDeclared`, `FieldInvalid`.
    """
    record = await keeping.own_record(session, clock, caller=caller, record_id=record_id)
    now = clock.now()
    if record.retention is None:
        raise keeping.NotDeclared("Declare it first; the declaration takes a trigger too.")
    if wanted.date > retention.civil_date(now):
        raise FieldInvalid("/date", "A trigger has happened: it lies not in the future.")
    if (record.retention.trigger_kind, record.retention.trigger_date) == (
        wanted.trigger,
        wanted.date,
    ):
        return record
    before = _dates(record.retention)
    record.retention.trigger_kind, record.retention.trigger_date = wanted.trigger, wanted.date
    await recompute(session, record, now)
    _tell(session, record, now, before, ("trigger_set", caller.subject or "", wanted.reason))
    await session.flush()
    fact = events.RecordTriggered(
        record_id=record.id, agency=record.agency, trigger_date=wanted.date
    )
    await publish(session, events.triggered(fact, now))
    return record


async def recompute(session: AsyncSession, record: Record, now: datetime) -> None:
    """Lays today's rule over the record's trigger."""
    kept = record.retention
    if kept is None:
        return
    computed = await retention.compute_retention(
        session,
        caller=ANONYMOUS,
        code=record.classification_code,
        trigger=kept.trigger_date,
        today=retention.civil_date(now),
    )
    kept.rule_code, kept.rule_version = computed.rule_code, computed.rule_version
    rule = computed.rule
    kept.active_years = rule.active_years if rule else None
    kept.inactive_years = rule.inactive_years if rule else None
    kept.final_disposition = rule.final_disposition if rule else None
    kept.offset_months = rule.offset_months if rule else 0
    kept.exception = rule.exception if rule else None
    kept.active_until, kept.inactive_until = (
        computed.dates.active_until,
        computed.dates.inactive_until,
    )
    kept.computed_at = now


def _dates(kept: RecordRetention) -> dict[str, Any]:
    names = (
        "rule_code",
        "rule_version",
        "final_disposition",
        "trigger_kind",
        "trigger_date",
        "active_until",
        "inactive_until",
    )
    values = ((name, getattr(kept, name)) for name in names)
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values}


def _tell(
    session: AsyncSession,
    record: Record,
    now: datetime,
    before: dict[str, Any],
    why: tuple[str, str, str],
) -> None:
    """`why` is the kind, who did it, and the reason."""
    if record.retention is None:
        return
    kind, by, reason = why
    session.add(
        RetentionEvent(
            id=uuid7(),
            record_id=record.id,
            at=now,
            by=by,
            kind=kind,
            reason=reason,
            old=before,
            new=_dates(record.retention),
        )
    )


async def weigh(
    session: AsyncSession, *, record: Record, now: datetime, fate: str, by: str
) -> None:
    """The appraisal panel's word on this record. Raises nothing; a draft has no retention."""
    if record.retention is None:
        return
    before = _dates(record.retention) | {"weighed": record.retention.weighed}
    record.retention.weighed = fate
    _tell(session, record, now, before, ("weighed", by, f"weighed as {fate}"))
    await session.flush()


async def apply_new_rules(session: AsyncSession, *, now: datetime) -> int:
    """Lays versions that hold by now over the records below their code, a bounded pass each;
    answers how many records changed. A version is done when a pass finds none left.
    """
    await enter_as_worker(session, now)
    changed = 0
    for rule in await retention.unapplied_rules(session, today=retention.civil_date(now)):
        records = await _governed(session, rule.classification_code, rule.version)
        for record in records:
            before = _dates(record.retention) if record.retention else {}
            await recompute(session, record, now)
            why = f"version {rule.version} of the rule {rule.classification_code}"
            _tell(session, record, now, before, ("rule_changed", WORKER, why))
        changed += len(records)
        if len(records) < PASS_RECORDS:
            rule.applied_at = now
    await session.flush()
    return changed


async def _governed(session: AsyncSession, code: str, version: int) -> Sequence[Record]:
    """Records at or below the code that do not stand under this version nor under a nearer rule."""
    is_below = or_(Record.classification_code == code, Record.classification_code.like(f"{code}.%"))
    is_other = or_(
        RecordRetention.rule_code.is_(None),
        (RecordRetention.rule_code == code) & (RecordRetention.rule_version < version),
        ~RecordRetention.rule_code.like(f"{code}%"),
    )
    query = (
        select(Record)
        .join(RecordRetention, RecordRetention.record_id == Record.id)
        .where(is_below, is_other)
        .order_by(Record.id)
        .limit(PASS_RECORDS)
    )
    return (await session.scalars(query)).all()


async def history_of(
    session: AsyncSession, clock: Clock, *, caller: Caller, record_id: UUID
) -> Sequence[RetentionEvent]:
    """Raises `RecordUnknown`, `MayNotWrite`."""
    await keeping.own_record(session, clock, caller=caller, record_id=record_id)
    query = select(RetentionEvent).where(RetentionEvent.record_id == record_id)
    return (await session.scalars(query.order_by(RetentionEvent.id).limit(100))).all()
