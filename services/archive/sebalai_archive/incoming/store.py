"""SQL of incoming letters. Every read begins at `visible_to`."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.incoming import access
from sebalai_archive.incoming.model import Disposition, IncomingLetter


def visible_to(caller: Caller) -> Select[IncomingLetter]:
    query = select(IncomingLetter)
    if caller.is_operator:
        return query
    query = query.where(IncomingLetter.agency == (caller.agency or ""))
    if access.may_register(caller):
        return query
    live = exists().where(
        and_(
            Disposition.letter_id == IncomingLetter.id,
            Disposition.recipient == caller.subject,
            Disposition.state != "cancelled",
        )
    )
    return query.where(or_(IncomingLetter.addressed_to == caller.subject, live))


async def page(
    session: AsyncSession, caller: Caller, after: UUID | None, limit: int
) -> Sequence[IncomingLetter]:
    query = visible_to(caller).order_by(IncomingLetter.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(IncomingLetter.id < after)
    return (await session.scalars(query)).all()


async def find(session: AsyncSession, caller: Caller, letter_id: UUID) -> IncomingLetter | None:
    return await session.scalar(visible_to(caller).where(IncomingLetter.id == letter_id))


async def lock(session: AsyncSession, caller: Caller, letter_id: UUID) -> IncomingLetter | None:
    query = visible_to(caller).where(IncomingLetter.id == letter_id)
    return await session.scalar(query.with_for_update())


def dispositions_visible_to(caller: Caller) -> Select[Disposition]:
    """The office sees its agency's; a person those it sent or got."""
    query = select(Disposition)
    if caller.is_operator:
        return query
    query = query.where(Disposition.agency == (caller.agency or ""))
    if access.may_register(caller):
        return query
    mine = or_(Disposition.sender == caller.subject, Disposition.recipient == caller.subject)
    return query.where(mine)


async def tree(
    session: AsyncSession, caller: Caller, letter_id: UUID, limit: int
) -> Sequence[Disposition]:
    query = dispositions_visible_to(caller).where(Disposition.letter_id == letter_id)
    return (await session.scalars(query.order_by(Disposition.id).limit(limit))).all()


async def lock_disposition(
    session: AsyncSession, caller: Caller, disposition_id: UUID
) -> Disposition | None:
    query = dispositions_visible_to(caller).where(Disposition.id == disposition_id)
    return await session.scalar(query.with_for_update())


async def disposition_page(
    session: AsyncSession, caller: Caller, overdue_on: date | None, after: UUID | None, limit: int
) -> Sequence[Disposition]:
    """The newest first; with `overdue_on` only those that should have ended before that day."""
    query = dispositions_visible_to(caller).order_by(Disposition.id.desc()).limit(limit + 1)
    if overdue_on is not None:
        query = query.where(Disposition.ended_at.is_(None), Disposition.deadline < overdue_on)
    if after is not None:
        query = query.where(Disposition.id < after)
    return (await session.scalars(query)).all()
