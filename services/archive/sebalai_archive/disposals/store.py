"""SQL of disposals: seen by the agency, the people named in one, and the operator."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.disposals.model import (
    Disposal,
    DisposalAct,
    DisposalItem,
    DisposalMinutes,
    Proposal,
)

PEOPLE = (
    Disposal.proposer,
    Disposal.reviewer,
    Disposal.approver,
    Disposal.executor,
    Disposal.witness_legal,
    Disposal.witness_supervision,
)


def visible_to(caller: Caller) -> Select[Disposal]:
    query = select(Disposal)
    if caller.is_operator:
        return query
    named = [person == (caller.subject or "") for person in PEOPLE]
    return query.where(or_(Disposal.agency == (caller.agency or ""), *named))


async def lock(session: AsyncSession, caller: Caller, disposal_id: UUID) -> Disposal | None:
    query = visible_to(caller).where(Disposal.id == disposal_id)
    return await session.scalar(query.with_for_update())


async def find(session: AsyncSession, caller: Caller, disposal_id: UUID) -> Disposal | None:
    return await session.scalar(visible_to(caller).where(Disposal.id == disposal_id))


async def items(session: AsyncSession, disposal_id: UUID) -> Sequence[DisposalItem]:
    query = select(DisposalItem).where(DisposalItem.disposal_id == disposal_id)
    return (await session.scalars(query.order_by(DisposalItem.position))).all()


async def acts(session: AsyncSession, disposal_id: UUID) -> Sequence[DisposalAct]:
    query = select(DisposalAct).where(DisposalAct.disposal_id == disposal_id)
    return (await session.scalars(query.order_by(DisposalAct.at, DisposalAct.step))).all()


async def minutes_of(session: AsyncSession, disposal_id: UUID) -> UUID | None:
    """The record of the issued minutes."""
    found = await session.get(DisposalMinutes, disposal_id)
    return found and found.record_id


async def close_items(session: AsyncSession, disposal_id: UUID) -> None:
    """Its records may stand in another disposal again."""
    await session.execute(
        update(DisposalItem).where(DisposalItem.disposal_id == disposal_id).values(is_open=False)
    )


async def in_open_disposal(session: AsyncSession, records: Sequence[UUID]) -> set[UUID]:
    query = select(DisposalItem.record_id).where(
        DisposalItem.record_id.in_(records), DisposalItem.is_open
    )
    return set(await session.scalars(query))


async def proposals(
    session: AsyncSession, caller: Caller, act: str | None, after: UUID | None, limit: int
) -> Sequence[Proposal]:
    query = select(Proposal).where(Proposal.agency == (caller.agency or ""))
    if act is not None:
        query = query.where(Proposal.act == act)
    if after is not None:
        query = query.where(Proposal.record_id > after)
    return (await session.scalars(query.order_by(Proposal.record_id).limit(limit + 1))).all()


async def candidates(
    session: AsyncSession, today: date, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """Records past a stage that nobody proposed for it yet, nor disposed of, in id order."""
    rows = await session.scalars(
        text("""
            SELECT q.record_id FROM record_retention q
            LEFT JOIN proposal p ON p.record_id = q.record_id
            WHERE q.active_until <= :today
              AND (p.record_id IS NULL OR (p.act = 'transfer' AND q.inactive_until <= :today))
              AND (CAST(:after AS uuid) IS NULL OR q.record_id > :after)
              AND NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.record_id = q.record_id)
              AND NOT EXISTS (SELECT 1 FROM custody c WHERE c.record_id = q.record_id
                AND (q.inactive_until > :today OR c.place = 'archive_institution'))
            ORDER BY q.record_id LIMIT :limit
        """),
        {"today": today, "after": after, "limit": limit},
    )
    return rows.all()
