"""SQL of businesses. The keepers of people see all, a person what they represent."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.businesses.model import ACTIVE, Business, Representation

OF_PERSON_ROWS = 200
OF_BUSINESS_ROWS = 500


def _in_force(at: datetime) -> Any:
    return (Representation.valid_from <= at) & or_(
        Representation.valid_until.is_(None), Representation.valid_until > at
    )


async def by_nib_index(session: AsyncSession, index: bytes) -> Business | None:
    return await session.scalar(select(Business).where(Business.nib_index == index))


async def lock(session: AsyncSession, business_id: UUID) -> Business | None:
    query = select(Business).where(Business.id == business_id).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))


async def by_id(session: AsyncSession, business_id: UUID) -> Business | None:
    return await session.get(Business, business_id)


async def by_ids(session: AsyncSession, business_ids: Collection[UUID]) -> Sequence[Business]:
    return (await session.scalars(select(Business).where(Business.id.in_(business_ids)))).all()


async def lock_representation(
    session: AsyncSession, representation_id: UUID
) -> Representation | None:
    query = select(Representation).where(Representation.id == representation_id)
    query = query.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(query)


async def of_business(session: AsyncSession, business_id: UUID) -> Sequence[Representation]:
    """All of them, past ones too, at most OF_BUSINESS_ROWS."""
    query = select(Representation).where(Representation.business_id == business_id)
    return (await session.scalars(query.order_by(Representation.id).limit(OF_BUSINESS_ROWS))).all()


async def held(session: AsyncSession, person_id: UUID, at: datetime) -> Sequence[Representation]:
    """What the person represents at `at`, of businesses that are not closed."""
    query = (
        select(Representation)
        .join(Business)
        .where(Representation.person_id == person_id, Business.state == ACTIVE, _in_force(at))
    )
    return (await session.scalars(query.order_by(Representation.id).limit(OF_PERSON_ROWS))).all()
