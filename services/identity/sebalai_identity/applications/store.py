"""SQL of applications. `visible_to`: an agency its own, the operator all, nobody else any."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.statements import fetch_one
from sqlalchemy import Select, false, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.applications.model import Application, ApplicationKey

KEYS_MAX = 10


def visible_to(caller: Caller) -> Select[Application]:
    query = select(Application)
    if caller.is_operator:
        return query
    if caller.agency is None:
        return query.where(false())
    return query.where(Application.agency == caller.agency)


async def page(
    session: AsyncSession, caller: Caller, after: str | None, limit: int
) -> Sequence[Application]:
    """Up to `limit + 1` applications by identifier."""
    query = visible_to(caller).order_by(Application.identifier).limit(limit + 1)
    if after is not None:
        query = query.where(Application.identifier > after)
    return (await session.scalars(query)).all()


async def lock(session: AsyncSession, caller: Caller, application_id: UUID) -> Application | None:
    return await session.scalar(
        visible_to(caller).where(Application.id == application_id).with_for_update()
    )


async def find_by_client_id(session: AsyncSession, client_id: UUID) -> Application | None:
    query = select(Application).where(Application.client_id == client_id)
    return await session.scalar(query.execution_options(populate_existing=True))


async def lock_by_client_id(session: AsyncSession, client_id: UUID) -> Application | None:
    query = select(Application).where(Application.client_id == client_id).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))


async def lock_by_identifier(session: AsyncSession, identifier: str) -> Application | None:
    """The name is locked even while no row bears it: two who register at once make one."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(identifier))))
    return await session.scalar(
        select(Application).where(Application.identifier == identifier).with_for_update()
    )


# On the path of every grant: one statement, no mapped objects.
_USABLE = (
    "SELECT one.client_id, one.agency, one.name, one.identifier, one.scopes, one.valid_until,"
    " one.client::text AS client, COALESCE((SELECT jsonb_agg(jsonb_build_array(kid, thumbprint,"
    " jwk)) FROM (SELECT kid, thumbprint, jwk FROM application_key AS key"
    " WHERE key.application_id = one.id AND valid_from <= $2"
    " AND (valid_until IS NULL OR valid_until > $2) LIMIT $3) AS usable), '[]') AS jwks"
    " FROM application AS one WHERE one.client_id = $1 AND one.state = 'active'"
    " AND (one.valid_until IS NULL OR one.valid_until > $2)"
)


async def usable(session: AsyncSession, client_id: UUID, at: datetime) -> Any | None:
    """An active application with its usable keys as [kid, thumbprint, jwk]."""
    return await fetch_one(session, _USABLE, client_id, at, KEYS_MAX)


async def keys_of(session: AsyncSession, application_id: UUID) -> Sequence[ApplicationKey]:
    query = (
        select(ApplicationKey)
        .where(ApplicationKey.application_id == application_id)
        .order_by(ApplicationKey.valid_from.desc(), ApplicationKey.id)
    )
    return (await session.scalars(query)).all()


async def names_of(session: AsyncSession, client_ids: Sequence[UUID]) -> dict[UUID, str]:
    query = select(Application.client_id, Application.identifier).where(
        Application.client_id.in_(client_ids)
    )
    return {row.client_id: row.identifier for row in await session.execute(query)}


# Whole answers: some thousand keys, and asked for only when the version has risen.
_SIGNING = text(
    "SELECT one.identifier AS application, key.kid, key.thumbprint, key.jwk,"
    " extract(epoch FROM LEAST(key.valid_until, one.valid_until))::bigint AS until"
    " FROM application_key AS key JOIN application AS one ON one.id = key.application_id"
    " WHERE one.state = 'active' AND key.valid_from <= :at"
    " AND (key.valid_until IS NULL OR key.valid_until > :at)"
    " AND (one.valid_until IS NULL OR one.valid_until > :at)"
    " ORDER BY one.identifier, key.thumbprint LIMIT :limit"
)


async def signing_version(session: AsyncSession) -> int:
    return int(await session.scalar(text("SELECT version FROM application_keys_version")) or 0)


async def signing_keys(session: AsyncSession, at: datetime, limit: int) -> Sequence[Any]:
    """What applications may sign with at that time, by application."""
    return (await session.execute(_SIGNING, {"at": at, "limit": limit})).mappings().all()
