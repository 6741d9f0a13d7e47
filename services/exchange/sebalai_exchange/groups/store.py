"""SQL of groups. Any identified caller sees them: providers must know whom they serve."""

from collections.abc import Sequence
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, delete, false, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.groups.model import JOINED, ConsumerGroup, GroupMember
from sebalai_exchange.locks import hold_name


def visible_to(caller: Caller) -> Select[ConsumerGroup]:
    query = select(ConsumerGroup)
    return query.where(false()) if caller.is_anonymous else query


async def page(
    session: AsyncSession, caller: Caller, after: str | None, limit: int
) -> Sequence[ConsumerGroup]:
    """Up to `limit + 1` groups by name."""
    query = visible_to(caller).order_by(ConsumerGroup.name).limit(limit + 1)
    if after is not None:
        query = query.where(ConsumerGroup.name > after)
    return (await session.scalars(query)).all()


async def find(
    session: AsyncSession, caller: Caller, group_id: UUID, *, is_to_change: bool = False
) -> ConsumerGroup | None:
    query = visible_to(caller).where(ConsumerGroup.id == group_id)
    return await session.scalar(query.with_for_update() if is_to_change else query)


async def hold(session: AsyncSession, name: str) -> None:
    await hold_name(session, "group", name)


async def exists(session: AsyncSession, name: str) -> bool:
    query = select(ConsumerGroup.id).where(ConsumerGroup.name == name)
    return await session.scalar(query) is not None


async def members(session: AsyncSession, groups: Sequence[UUID]) -> Sequence[GroupMember]:
    query = (
        select(GroupMember)
        .where(GroupMember.group_id.in_(groups))
        .order_by(GroupMember.group_id, GroupMember.application)
    )
    return (await session.scalars(query)).all()


async def joined(session: AsyncSession) -> Sequence[tuple[str, str]]:
    """(group, application) of all who joined."""
    query = (
        select(ConsumerGroup.name, GroupMember.application)
        .join(GroupMember, GroupMember.group_id == ConsumerGroup.id)
        .where(GroupMember.state == JOINED)
    )
    return [(name, application) for name, application in await session.execute(query)]


_ROUTED = text(
    """
    SELECT json_build_object('name', name, 'members', ARRAY(
      SELECT application FROM group_member
      WHERE group_id = id AND state = 'joined' ORDER BY application))::text
    FROM consumer_group WHERE route_version > :after ORDER BY name LIMIT :limit
    """
)


async def routed(session: AsyncSession, after: int, limit: int) -> Sequence[str]:
    """JSON of up to `limit` groups changed after a version, with all who joined."""
    return (await session.scalars(_ROUTED, {"after": after, "limit": limit})).all()


async def count(session: AsyncSession, group_id: UUID) -> int:
    query = select(func.count()).where(GroupMember.group_id == group_id)
    return int(await session.scalar(query) or 0)


async def member(session: AsyncSession, group_id: UUID, application: str) -> GroupMember | None:
    return await session.get(GroupMember, (group_id, application), populate_existing=True)


async def remove(session: AsyncSession, group_id: UUID, application: str) -> None:
    await session.execute(
        delete(GroupMember).where(
            GroupMember.group_id == group_id, GroupMember.application == application
        )
    )
