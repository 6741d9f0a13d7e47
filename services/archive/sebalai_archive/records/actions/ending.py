"""Decisions at the end of a record's time, for the slice `disposals`: judge, move, bury, erase."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import get_args
from uuid import UUID

from sebalai_shared.outbox import publish
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.records import events, store
from sebalai_archive.records.model import DECLARED, Custody, Record, Tombstone
from sebalai_archive.retention import actions as retention

ERASE_A_PASS = 100


@dataclass(frozen=True, slots=True)
class Judged:
    """A locked record with what is next for it, and what stands in the way now."""

    record: Record
    outcome: retention.Outcome
    total_years: int
    obstacles: tuple[str, ...]


async def judge(
    session: AsyncSession, *, ids: Sequence[UUID], held: set[UUID], now: datetime
) -> Sequence[Judged]:
    """Locks the records and judges each by rule, trigger, hold, loan and mark as they are now."""
    records = await store.lock_all(session, ids)
    lent = await store.lent_among(session, ids)
    today = retention.civil_date(now)
    return [_judged(one, today, one.id in held, one.id in lent) for one in records]


def _judged(record: Record, today: date, is_held: bool, is_lent: bool) -> Judged:  # noqa: FBT001 - two facts of one record
    kept = record.retention
    rule = None
    if kept is not None and kept.active_years is not None and kept.inactive_years is not None:
        fate = _fate(kept.final_disposition)
        rule = fate and retention.Rule(
            kept.active_years, kept.inactive_years, fate, kept.offset_months, kept.exception
        )
    so_far = retention.SoFar(
        is_held=is_held,
        weighed=_fate(kept.weighed) if kept else None,
        is_marked=record.protection != "biasa",
    )
    found = retention.outcome(kept.trigger_date if kept else None, rule, today, so_far)
    facts = (
        (record.state != DECLARED, "it is not declared"),
        (is_held, "a legal hold is on it"),
        (is_lent, "it is out on loan"),
    )
    obstacles = tuple(why for stands, why in facts if stands)
    return Judged(record, found, rule.total_years if rule else 0, obstacles)


def _fate(text: str | None) -> retention.Fate | None:
    return next((one for one in get_args(retention.Fate) if one == text), None)


async def is_buried(session: AsyncSession, *, record_id: UUID) -> bool:
    return await store.tombstone_of(session, record_id) is not None


async def move(
    session: AsyncSession, *, record: Record, place: str, disposal_id: UUID, now: datetime
) -> None:
    await session.merge(
        Custody(record_id=record.id, place=place, since=now, disposal_id=disposal_id)
    )


async def bury(
    session: AsyncSession, *, record: Record, disposal_id: UUID, now: datetime
) -> Tombstone:
    """From here on the content is nobody's; the fact goes out. Metadata and digest stay; the salt
    goes, so nobody links the record's leaf in the ledger to what was declared any more.
    """
    made = Tombstone(
        record_id=record.id, disposal_id=disposal_id, at=now, sha256=record.content_sha256 or ""
    )
    session.add(made)
    await session.flush()
    record.salt = None
    await session.flush()
    fact = events.RecordDestroyed(
        record_id=record.id, agency=record.agency, disposal_id=disposal_id
    )
    await publish(session, events.destroyed(fact, now))
    return made


async def unerased(session: AsyncSession) -> Sequence[Tombstone]:
    """Buried records whose bytes are still to be looked for, held for this pass."""
    return await store.unerased(session, ERASE_A_PASS)


async def prove_erased(
    session: AsyncSession, *, buried: Tombstone, proof: dict[str, object], now: datetime
) -> None:
    buried.erased_at, buried.proof = now, proof
    fact = events.RecordErased(record_id=buried.record_id, disposal_id=buried.disposal_id)
    await publish(session, events.erased(fact, now))
    await session.flush()
