"""SQL of role grants. Role keepers and auditors see all, a person their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, String, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.roles.access import may_keep
from sebalai_identity.roles.model import ACTIVE, RoleGrant

OF_PERSON_ROWS = 200


@dataclass(frozen=True)
class GrantFilter:
    person_id: UUID | None = None
    role: str | None = None
    state: str | None = None


def visible_to(caller: Caller) -> Select[RoleGrant]:
    query = select(RoleGrant)
    if may_keep(caller) or caller.has_scope("identity.audit"):
        return query
    return query.where(cast(RoleGrant.person_id, String) == caller.subject)


async def page(
    session: AsyncSession, caller: Caller, wanted: GrantFilter, after: UUID | None, limit: int
) -> Sequence[RoleGrant]:
    """Up to `limit + 1` grants by id."""
    query = visible_to(caller).order_by(RoleGrant.id).limit(limit + 1)
    if after is not None:
        query = query.where(RoleGrant.id > after)
    for name, value in vars(wanted).items():
        if value is not None:
            query = query.where(getattr(RoleGrant, name) == value)
    return (await session.scalars(query)).all()


async def lock(session: AsyncSession, caller: Caller, grant_id: UUID) -> RoleGrant | None:
    query = visible_to(caller).where(RoleGrant.id == grant_id).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))


async def lock_active(session: AsyncSession, person_id: UUID, at: datetime) -> Sequence[RoleGrant]:
    """Those in force and those to come."""
    query = select(RoleGrant).where(
        RoleGrant.person_id == person_id,
        RoleGrant.state == ACTIVE,
        or_(RoleGrant.valid_until.is_(None), RoleGrant.valid_until > at),
    )
    return (await session.scalars(query.order_by(RoleGrant.id).with_for_update())).all()


async def held(session: AsyncSession, person_id: UUID, at: datetime) -> Sequence[RoleGrant]:
    query = select(RoleGrant).where(
        RoleGrant.person_id == person_id,
        RoleGrant.state == ACTIVE,
        RoleGrant.valid_from <= at,
        or_(RoleGrant.valid_until.is_(None), RoleGrant.valid_until > at),
    )
    return (await session.scalars(query.order_by(RoleGrant.id).limit(OF_PERSON_ROWS))).all()
