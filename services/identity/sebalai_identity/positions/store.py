"""SQL of positions. Posts of a government are public (UU 14/2008): nothing is hidden."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.positions.model import Position

OF_AGENCY_ROWS = 2_000


@dataclass(frozen=True)
class PositionFilter:
    """`at` asks for those that exist at that instant."""

    agency: str | None = None
    code: str | None = None
    at: datetime | None = None


def visible_to(_: Caller) -> Select[Position]:
    return select(Position)


async def visible(session: AsyncSession, caller: Caller, position_id: UUID) -> Position | None:
    return await session.scalar(visible_to(caller).where(Position.id == position_id))


async def page(
    session: AsyncSession, caller: Caller, wanted: PositionFilter, after: UUID | None, limit: int
) -> Sequence[Position]:
    """Up to `limit + 1` positions by id."""
    query = visible_to(caller).order_by(Position.id).limit(limit + 1)
    if after is not None:
        query = query.where(Position.id > after)
    if wanted.agency is not None:
        query = query.where(Position.agency == wanted.agency)
    if wanted.code is not None:
        query = query.where(Position.code == wanted.code)
    if wanted.at is not None:
        query = query.where(
            Position.valid_from <= wanted.at,
            or_(Position.valid_until.is_(None), Position.valid_until > wanted.at),
        )
    return (await session.scalars(query)).all()


async def by_ids(session: AsyncSession, ids: Collection[UUID]) -> Sequence[Position]:
    return (await session.scalars(select(Position).where(Position.id.in_(ids)))).all()


async def of_agency(session: AsyncSession, agency: str, at: datetime) -> Sequence[Position]:
    """Those that go on at or begin after `at`, at most OF_AGENCY_ROWS + 1."""
    query = select(Position).where(
        Position.agency == agency,
        or_(Position.valid_until.is_(None), Position.valid_until > at),
    )
    query = query.order_by(Position.id).limit(OF_AGENCY_ROWS + 1)
    return (await session.scalars(query)).all()


async def of_code(session: AsyncSession, agency: str, code: str) -> Position | None:
    query = select(Position).where(Position.agency == agency, Position.code == code)
    return await session.scalar(query)


async def lock(session: AsyncSession, position_id: UUID) -> Position | None:
    query = select(Position).where(Position.id == position_id).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))
