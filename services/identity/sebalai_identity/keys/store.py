"""SQL of the signing ring. Public halves are public; `sealed` leaves through `active` alone."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.keys.model import ACTIVE, PUBLISHED, KeyRing, SigningKey


async def version(session: AsyncSession) -> int:
    return (await session.scalars(select(KeyRing.version))).one()


async def lock_ring(session: AsyncSession) -> int:
    """Holds the ring until the transaction ends; answers its version."""
    return (await session.scalars(select(KeyRing.version).with_for_update())).one()


async def raise_version(session: AsyncSession) -> None:
    await session.execute(update(KeyRing).values(version=KeyRing.version + 1))


async def published(session: AsyncSession) -> Sequence[SigningKey]:
    query = select(SigningKey).where(SigningKey.state.in_(PUBLISHED))
    return (await session.scalars(query.order_by(SigningKey.created_at, SigningKey.kid))).all()


async def active(session: AsyncSession, algorithm: str) -> SigningKey | None:
    query = select(SigningKey).where(SigningKey.state == ACTIVE, SigningKey.algorithm == algorithm)
    return await session.scalar(query)


async def in_state(session: AsyncSession, state: str, algorithm: str) -> Sequence[SigningKey]:
    query = select(SigningKey).where(SigningKey.state == state, SigningKey.algorithm == algorithm)
    return (await session.scalars(query)).all()


async def by_kid(session: AsyncSession, kid: str) -> SigningKey | None:
    return await session.get(SigningKey, kid)


async def move(session: AsyncSession, kid: str, state: str, at: datetime) -> None:
    values = {"state": state, "changed_at": at}
    await session.execute(update(SigningKey).where(SigningKey.kid == kid).values(values))
