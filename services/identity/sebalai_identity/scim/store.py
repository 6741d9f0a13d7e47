"""SQL of SCIM: everything begins at the agency of the caller."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.scim.model import ScimGroup, ScimMember, ScimUser

SEARCHED_MAX = 5_000
"""Users or groups one search walks; an agency of the province has fewer."""


START_MAX = 2**31
Row = TypeVar("Row", ScimUser, ScimGroup)


@dataclass(frozen=True)
class Membership:
    group_id: UUID
    group: str
    person_id: UUID


def visible_to(agency: str) -> Select[ScimUser]:
    return select(ScimUser).where(ScimUser.agency == agency)


def groups_visible_to(agency: str) -> Select[ScimGroup]:
    return select(ScimGroup).where(ScimGroup.agency == agency)


NAMES = {"username": ScimUser.user_name, "externalid": ScimUser.external_id}


async def users(
    session: AsyncSession, agency: str, named: tuple[str, str] | None = None
) -> Sequence[ScimUser]:
    """Up to SEARCHED_MAX + 1; `named` is a key of NAMES and a value, whatever its case."""
    query = visible_to(agency).order_by(ScimUser.person_id).limit(SEARCHED_MAX + 1)
    if named is not None:
        query = query.where(func.lower(NAMES[named[0]]) == named[1].lower())
    return (await session.scalars(query)).all()


async def listed(
    session: AsyncSession, query: Select[Row], place: Any, start: int, count: int
) -> tuple[int, Sequence[Row]]:
    """How many `query` finds, and those from the `start`th in order of `place`, which is unique."""
    total = await session.scalar(select(func.count()).select_from(query.subquery()))
    rows = await session.scalars(query.order_by(place).offset(min(start, START_MAX)).limit(count))
    return total or 0, rows.all()


async def groups(session: AsyncSession, agency: str) -> Sequence[ScimGroup]:
    """Up to SEARCHED_MAX + 1."""
    query = groups_visible_to(agency).order_by(ScimGroup.id).limit(SEARCHED_MAX + 1)
    return (await session.scalars(query)).all()


async def user(
    session: AsyncSession, agency: str, person_id: UUID, *, lock: bool = False
) -> ScimUser | None:
    query = visible_to(agency).where(ScimUser.person_id == person_id)
    query = query.with_for_update() if lock else query
    return await session.scalar(query.execution_options(populate_existing=True))


async def group(
    session: AsyncSession, agency: str, group_id: UUID, *, lock: bool = False
) -> ScimGroup | None:
    query = groups_visible_to(agency).where(ScimGroup.id == group_id)
    query = query.with_for_update() if lock else query
    return await session.scalar(query.execution_options(populate_existing=True))


async def memberships(
    session: AsyncSession,
    *,
    people: Collection[UUID] | None = None,
    of_groups: Collection[UUID] | None = None,
) -> Sequence[Membership]:
    query = select(ScimMember.group_id, ScimGroup.display_name, ScimMember.person_id).join(
        ScimGroup, ScimGroup.id == ScimMember.group_id
    )
    if people is not None:
        query = query.where(ScimMember.person_id.in_(people))
    if of_groups is not None:
        query = query.where(ScimMember.group_id.in_(of_groups))
    rows = await session.execute(query.order_by(ScimMember.group_id, ScimMember.person_id))
    return [Membership(*row) for row in rows]


async def known(session: AsyncSession, agency: str, people: Collection[UUID]) -> set[UUID]:
    query = select(ScimUser.person_id).where(
        ScimUser.agency == agency, ScimUser.person_id.in_(people)
    )
    return set(await session.scalars(query))


async def set_members(session: AsyncSession, group_id: UUID, people: set[UUID]) -> set[UUID]:
    """Whose membership changed."""
    before = {row.person_id for row in await memberships(session, of_groups=[group_id])}
    gone, new = before - people, people - before
    if gone:
        await session.execute(
            delete(ScimMember).where(
                ScimMember.group_id == group_id, ScimMember.person_id.in_(gone)
            )
        )
    if new:
        rows = [{"group_id": group_id, "person_id": one} for one in sorted(new)]
        await session.execute(insert(ScimMember), rows)
    return gone | new


async def leave_groups(session: AsyncSession, person_id: UUID) -> None:
    """With a new version of each group that loses the user."""
    mine = select(ScimMember.group_id).where(ScimMember.person_id == person_id)
    await session.execute(
        update(ScimGroup)
        .where(ScimGroup.id.in_(mine))
        .values(version=ScimGroup.version + 1)
        .execution_options(synchronize_session=False)
    )
    await session.execute(delete(ScimMember).where(ScimMember.person_id == person_id))


async def touch_users(session: AsyncSession, people: Collection[UUID]) -> None:
    """A user whose groups changed has another version."""
    if people:
        await session.execute(
            update(ScimUser)
            .where(ScimUser.person_id.in_(people))
            .values(version=ScimUser.version + 1)
            .execution_options(synchronize_session=False)
        )
