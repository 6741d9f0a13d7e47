"""SQL of records. Every read begins at `visible_to`; another agency's record does not exist."""

from collections.abc import Sequence
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.records.model import Record


def visible_to(caller: Caller) -> Select[Record]:
    query = select(Record)
    if caller.is_operator:
        return query
    return query.where(Record.agency == (caller.agency or ""))


async def page(
    session: AsyncSession, caller: Caller, state: str | None, after: UUID | None, limit: int
) -> Sequence[Record]:
    """Up to `limit + 1` records, the newest first (ids are ordered by time)."""
    query = visible_to(caller).order_by(Record.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(Record.state == state)
    if after is not None:
        query = query.where(Record.id < after)
    return (await session.scalars(query)).all()


async def find(session: AsyncSession, caller: Caller, record_id: UUID) -> Record | None:
    return await session.scalar(visible_to(caller).where(Record.id == record_id))


async def lock(session: AsyncSession, caller: Caller, record_id: UUID) -> Record | None:
    """The record, held against a declaration or an upload at the same moment."""
    query = visible_to(caller).where(Record.id == record_id)
    return await session.scalar(query.with_for_update(of=Record))


async def named_content(session: AsyncSession, digests: Sequence[str]) -> set[str]:
    """Which of these digests some record names, whoever's it is: the sweeper asks."""
    found = await session.scalars(
        text("SELECT DISTINCT content_sha256 FROM record WHERE content_sha256 = ANY(:digests)"),
        {"digests": list(digests)},
    )
    return set(found)
