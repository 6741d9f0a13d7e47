"""SQL of legal holds; the agency that placed one sees it, and the operator."""

from collections.abc import Sequence
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.holds.model import LegalHold, LegalHoldRecord


def visible_to(caller: Caller) -> Select[LegalHold]:
    query = select(LegalHold)
    if caller.is_operator:
        return query
    return query.where(LegalHold.agency == (caller.agency or ""))


async def find(session: AsyncSession, caller: Caller, hold_id: UUID) -> LegalHold | None:
    return await session.scalar(visible_to(caller).where(LegalHold.id == hold_id))


async def records_of(session: AsyncSession, hold_id: UUID) -> Sequence[UUID]:
    query = select(LegalHoldRecord.record_id).where(LegalHoldRecord.hold_id == hold_id)
    return (await session.scalars(query.order_by(LegalHoldRecord.record_id))).all()


async def held(session: AsyncSession, records: Sequence[UUID]) -> set[UUID]:
    """Those of `records` under a hold, whoever placed it. Its rows stay locked for the asker."""
    query = (
        select(LegalHoldRecord.record_id)
        .join(LegalHold, LegalHold.id == LegalHoldRecord.hold_id)
        .where(LegalHoldRecord.record_id.in_(records), LegalHold.released_at.is_(None))
    )
    return set(await session.scalars(query.with_for_update(of=LegalHold, read=True)))
