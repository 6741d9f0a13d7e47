"""SQL of requests for a client. Approvers see all, an agency its own."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.client_requests.access import may_see_all
from sebalai_identity.client_requests.model import REQUESTED, ClientRequest


def visible_to(caller: Caller) -> Select[ClientRequest]:
    query = select(ClientRequest)
    return query if may_see_all(caller) else query.where(ClientRequest.agency == caller.agency)


async def page(
    session: AsyncSession, caller: Caller, state: str | None, after: UUID | None, limit: int
) -> Sequence[ClientRequest]:
    """Up to `limit + 1` requests by id."""
    query = visible_to(caller).order_by(ClientRequest.id).limit(limit + 1)
    if after is not None:
        query = query.where(ClientRequest.id > after)
    if state is not None:
        query = query.where(ClientRequest.state == state)
    return (await session.scalars(query)).all()


async def lock(session: AsyncSession, caller: Caller, request_id: UUID) -> ClientRequest | None:
    query = visible_to(caller).where(ClientRequest.id == request_id).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))


async def lock_waiting(session: AsyncSession, request_id: UUID) -> ClientRequest | None:
    """Whoever's; for the registration it belongs to."""
    query = select(ClientRequest).where(
        ClientRequest.id == request_id, ClientRequest.state == REQUESTED
    )
    return await session.scalar(query.with_for_update().execution_options(populate_existing=True))


async def find(session: AsyncSession, request_id: UUID) -> ClientRequest | None:
    query = select(ClientRequest).where(ClientRequest.id == request_id)
    return await session.scalar(query.execution_options(populate_existing=True))


async def asked_since(session: AsyncSession, client_id: UUID, since: datetime) -> int:
    query = select(func.count()).where(
        ClientRequest.client_id == client_id, ClientRequest.requested_at > since
    )
    return await session.scalar(query) or 0
