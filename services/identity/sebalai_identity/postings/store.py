"""SQL of postings and delegations. Identified callers see who holds a post (UU 14/2008)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import ColumnElement, Select, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.postings.model import Delegation, Posting

TOLD_ROWS = 200
OF_PERSON_ROWS = 200
"""More postings than anybody collects in a life; a bound on one answer."""

Dated = TypeVar("Dated", Posting, Delegation)


@dataclass(frozen=True)
class PostingFilter:
    person_id: UUID | None = None
    position_id: UUID | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class DelegationFilter:
    from_posting_id: UUID | None = None
    to_posting_id: UUID | None = None
    at: datetime | None = None


def visible_to(caller: Caller, table: type[Dated]) -> Select[Dated]:
    query = select(table)
    return query.where(false()) if caller.is_anonymous else query


def holds_at(table: type[Dated], at: datetime) -> ColumnElement[bool]:
    in_time = table.valid_from <= at
    return in_time & or_(table.valid_until.is_(None), table.valid_until > at) & ~table.is_cancelled


async def page(
    session: AsyncSession,
    caller: Caller,
    table: type[Dated],
    wanted: PostingFilter | DelegationFilter,
    after: UUID | None,
    limit: int,
) -> Sequence[Dated]:
    """Up to `limit + 1` rows by id."""
    query = visible_to(caller, table).order_by(table.id).limit(limit + 1)
    if after is not None:
        query = query.where(table.id > after)
    for name, value in vars(wanted).items():
        if value is None:
            continue
        query = query.where(
            holds_at(table, value) if name == "at" else getattr(table, name) == value
        )
    return (await session.scalars(query)).all()


async def visible(
    session: AsyncSession, caller: Caller, table: type[Dated], row_id: UUID
) -> Dated | None:
    return await session.scalar(visible_to(caller, table).where(table.id == row_id))


async def lock(session: AsyncSession, table: type[Dated], row_id: UUID) -> Dated | None:
    query = select(table).where(table.id == row_id).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))


async def postings_of(session: AsyncSession, person_id: UUID, at: datetime) -> Sequence[Posting]:
    query = select(Posting).where(Posting.person_id == person_id, holds_at(Posting, at))
    return (await session.scalars(query.order_by(Posting.id).limit(OF_PERSON_ROWS))).all()


async def postings_of_people(
    session: AsyncSession, people: Collection[UUID], at: datetime
) -> Sequence[Posting]:
    query = select(Posting).where(Posting.person_id.in_(people), holds_at(Posting, at))
    return (await session.scalars(query.order_by(Posting.id))).all()


async def delegations_to(
    session: AsyncSession, postings: Sequence[UUID], at: datetime
) -> Sequence[Delegation]:
    query = select(Delegation).where(
        Delegation.to_posting_id.in_(postings), holds_at(Delegation, at)
    )
    return (await session.scalars(query.order_by(Delegation.id).limit(OF_PERSON_ROWS))).all()


async def by_ids(session: AsyncSession, table: type[Dated], ids: set[UUID]) -> Sequence[Dated]:
    return (await session.scalars(select(table).where(table.id.in_(ids)))).all() if ids else []


async def running(
    session: AsyncSession, whose: ColumnElement[bool], at: datetime
) -> Sequence[Posting]:
    """Those that go on at or begin after `at`, locked."""
    query = select(Posting).where(
        whose,
        ~Posting.is_cancelled,
        or_(Posting.valid_until.is_(None), Posting.valid_until > at),
    )
    return (await session.scalars(query.order_by(Posting.id).with_for_update())).all()


async def lapsed(session: AsyncSession, table: type[Dated], at: datetime) -> Sequence[Dated]:
    """Up to TOLD_ROWS whose end has come and was not told; two workers never take one row."""
    query = (
        select(table)
        .where(~table.is_end_told, table.valid_until <= at)
        .order_by(table.valid_until)
        .limit(TOLD_ROWS)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(query)).all()
