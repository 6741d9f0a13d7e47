"""SQL of initial tokens and registrations. Secrets are kept and found as their SHA-256."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.registrations.access import sees_all
from sebalai_identity.registrations.model import ClientRegistration, InitialToken


def digest_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def visible_to(caller: Caller) -> Select[InitialToken]:
    query = select(InitialToken)
    return query if sees_all(caller) else query.where(InitialToken.agency == caller.agency)


async def page(
    session: AsyncSession, caller: Caller, after: UUID | None, limit: int
) -> Sequence[InitialToken]:
    """Up to `limit + 1` tokens by id."""
    query = visible_to(caller).order_by(InitialToken.id).limit(limit + 1)
    if after is not None:
        query = query.where(InitialToken.id > after)
    return (await session.scalars(query)).all()


async def lock_token(session: AsyncSession, caller: Caller, token_id: UUID) -> InitialToken | None:
    return await session.scalar(
        visible_to(caller).where(InitialToken.id == token_id).with_for_update()
    )


async def count_open(session: AsyncSession, agency: str, at: datetime) -> int:
    query = select(func.count()).where(InitialToken.agency == agency, *_is_open(at))
    return await session.scalar(query) or 0


def _is_open(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        InitialToken.revoked_at.is_(None),
        InitialToken.valid_until > at,
        InitialToken.used < InitialToken.registrations,
    )


async def find_token(session: AsyncSession, secret: str, at: datetime) -> InitialToken | None:
    query = select(InitialToken).where(InitialToken.digest == digest_of(secret), *_is_open(at))
    return await session.scalar(query)


async def take_one(session: AsyncSession, token_id: UUID, at: datetime) -> bool:
    """One statement, so that of many at once no more than its number win."""
    statement = (
        update(InitialToken)
        .where(InitialToken.id == token_id, *_is_open(at))
        .values(used=InitialToken.used + 1)
        .returning(InitialToken.id)
        .execution_options(synchronize_session=False)
    )
    return await session.scalar(statement) is not None


def _held_by(client_id: UUID, secret: str) -> Select[ClientRegistration]:
    return select(ClientRegistration).where(
        ClientRegistration.client_id == client_id,
        or_(
            ClientRegistration.digest == digest_of(secret),
            ClientRegistration.previous_digest == digest_of(secret),
        ),
        ClientRegistration.ended_at.is_(None),
    )


async def find(session: AsyncSession, client_id: UUID, secret: str) -> ClientRegistration | None:
    return await session.scalar(_held_by(client_id, secret))


async def lock(session: AsyncSession, client_id: UUID, secret: str) -> ClientRegistration | None:
    query = _held_by(client_id, secret).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))


async def find_unapproved(session: AsyncSession, client_id: UUID) -> ClientRegistration | None:
    query = select(ClientRegistration).where(
        ClientRegistration.client_id == client_id,
        ClientRegistration.ended_at.is_(None),
        ClientRegistration.in_force.is_(None),
    )
    return await session.scalar(query)
