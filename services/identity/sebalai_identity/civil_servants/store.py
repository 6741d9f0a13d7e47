"""SQL of civil servants."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.civil_servants.model import CivilServant


async def by_person(session: AsyncSession, person_id: UUID) -> CivilServant | None:
    return await session.get(CivilServant, person_id)


async def by_people(session: AsyncSession, ids: Collection[UUID]) -> Sequence[CivilServant]:
    return (
        await session.scalars(select(CivilServant).where(CivilServant.person_id.in_(ids)))
    ).all()


async def by_nip_index(session: AsyncSession, index: bytes) -> CivilServant | None:
    return await session.scalar(select(CivilServant).where(CivilServant.nip_index == index))


async def lock(session: AsyncSession, person_id: UUID) -> CivilServant | None:
    query = select(CivilServant).where(CivilServant.person_id == person_id).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))
