"""SQL of the register; law is public."""

from collections.abc import Sequence
from typing import Any

from sebalai_shared.caller import Caller
from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.regulations.model import REVOKED, Regulation


def visible_to(caller: Caller) -> Select[Regulation]:  # noqa: ARG001 - public
    return select(Regulation)


async def page(
    session: AsyncSession, caller: Caller, after: int | None, limit: int
) -> Sequence[Regulation]:
    query = visible_to(caller).order_by(Regulation.position).limit(limit + 1)
    if after is not None:
        query = query.where(Regulation.position > after)
    return (await session.scalars(query)).all()


async def find(session: AsyncSession, key: str) -> Regulation | None:
    return await session.get(Regulation, key, with_for_update=True)


async def by_ids(session: AsyncSession, ids: Sequence[str]) -> Sequence[Regulation]:
    query = select(Regulation).where(Regulation.id.in_(ids)).order_by(Regulation.position)
    return (await session.scalars(query)).all()


async def ids(session: AsyncSession) -> frozenset[str]:
    return frozenset((await session.scalars(select(Regulation.id))).all())


async def revoked(session: AsyncSession) -> frozenset[str]:
    query = select(Regulation.id).where(Regulation.status == REVOKED)
    return frozenset((await session.scalars(query)).all())


async def next_position(session: AsyncSession) -> int:
    return (await session.scalar(select(func.max(Regulation.position))) or 0) + 1


async def load(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Takes what differs from an officer's edit only where none was made."""
    query = insert(Regulation)
    changed = {name: query.excluded[name] for name in rows[0] if name != "id"}
    await session.execute(
        query.on_conflict_do_update(
            index_elements=["id"], set_=changed, where=Regulation.edited_by.is_(None)
        ),
        list(rows),
    )
