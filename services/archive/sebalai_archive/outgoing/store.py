"""SQL of outgoing letters. Every read begins at `visible_to`, except the public verification."""

from collections.abc import Sequence
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.outgoing.model import OutgoingAct, OutgoingLetter


def visible_to(caller: Caller) -> Select[OutgoingLetter]:
    query = select(OutgoingLetter)
    if caller.is_operator:
        return query
    return query.where(OutgoingLetter.agency == (caller.agency or ""))


async def page(
    session: AsyncSession, caller: Caller, state: str | None, after: UUID | None, limit: int
) -> Sequence[OutgoingLetter]:
    query = visible_to(caller).order_by(OutgoingLetter.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(OutgoingLetter.state == state)
    if after is not None:
        query = query.where(OutgoingLetter.id < after)
    return (await session.scalars(query)).all()


async def find(session: AsyncSession, caller: Caller, letter_id: UUID) -> OutgoingLetter | None:
    return await session.scalar(visible_to(caller).where(OutgoingLetter.id == letter_id))


async def lock(session: AsyncSession, caller: Caller, letter_id: UUID) -> OutgoingLetter | None:
    query = visible_to(caller).where(OutgoingLetter.id == letter_id)
    return await session.scalar(query.with_for_update())


async def by_code(session: AsyncSession, code: str) -> OutgoingLetter | None:
    """For the public: whoever holds the letter knows its code, which cannot be guessed."""
    return await session.scalar(
        select(OutgoingLetter).where(OutgoingLetter.verification_code == code)
    )


async def acts(session: AsyncSession, letter_id: UUID) -> Sequence[OutgoingAct]:
    query = select(OutgoingAct).where(OutgoingAct.letter_id == letter_id)
    return (await session.scalars(query.order_by(OutgoingAct.place))).all()


async def next_place(session: AsyncSession, letter_id: UUID) -> int:
    """Under the letter's lock."""
    query = select(func.count()).where(OutgoingAct.letter_id == letter_id)
    return int(await session.scalar(query) or 0) + 1
