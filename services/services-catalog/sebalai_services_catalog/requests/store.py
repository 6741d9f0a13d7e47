"""SQL of requests; every read of one begins at `visible_to`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import ColumnElement, Row, Select, delete, exists, false, func, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from sebalai_services_catalog.requests.access import DECIDE, WRITE
from sebalai_services_catalog.requests.model import (
    RequestAct,
    RequestDocument,
    RequestDueChange,
    RequestTask,
    ServiceRequest,
)

ACTS_MAX = 500
TASKS_MAX = 100

QueuedTask = Row[RequestTask, ServiceRequest]


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """`mine`: only what the caller filed itself."""

    mine: bool = False
    state: str | None = None
    service: str | None = None


def _has_task_of(agency: str) -> ColumnElement[bool]:
    return exists().where(RequestTask.request_id == ServiceRequest.id, RequestTask.agency == agency)


def _filed_by(caller: Caller) -> ColumnElement[bool]:
    if caller.party is None:
        return false()
    own = ServiceRequest.applicant == caller.party
    return own if caller.matters is None else own & ServiceRequest.service.in_(caller.matters)


def visible_to(caller: Caller) -> Select[ServiceRequest]:
    """What the caller filed, and what its agency handles or takes part in. Nobody sees what another
    never filed, a draft or what came of it, except the operator and, at a counter, the agency.
    """
    if caller.is_operator:
        return select(ServiceRequest)
    own = _filed_by(caller)
    if caller.agency is None or not (caller.has_scope(WRITE) or caller.has_scope(DECIDE)):
        return select(ServiceRequest).where(own)
    handled = or_(ServiceRequest.agency == caller.agency, _has_task_of(caller.agency))
    filed = or_(ServiceRequest.submitted_at.is_not(None), ServiceRequest.assisted)
    return select(ServiceRequest).where(or_(own, handled & filed))


async def page(
    session: AsyncSession, caller: Caller, wanted: RequestFilter, after: UUID | None, limit: int
) -> Sequence[ServiceRequest]:
    """Up to `limit + 1`, the latest first."""
    query = visible_to(caller).order_by(ServiceRequest.id.desc()).limit(limit + 1)
    if wanted.mine:
        query = query.where(_filed_by(caller))
    if wanted.state is not None:
        query = query.where(ServiceRequest.state == wanted.state)
    if wanted.service is not None:
        query = query.where(ServiceRequest.service == wanted.service)
    if after is not None:
        query = query.where(ServiceRequest.id < after)
    return (await session.scalars(query)).all()


async def find(session: AsyncSession, caller: Caller, key: UUID) -> ServiceRequest | None:
    query = visible_to(caller).where(ServiceRequest.id == key)
    return (await session.scalars(query)).one_or_none()


async def by_ids(
    session: AsyncSession, caller: Caller, keys: Collection[UUID]
) -> Sequence[ServiceRequest]:
    query = visible_to(caller).where(ServiceRequest.id.in_(keys))
    return (await session.scalars(query)).all()


async def hold(session: AsyncSession, caller: Caller, key: UUID) -> ServiceRequest | None:
    """The request, locked to the transaction's end: two officers decide one after the other."""
    query = visible_to(caller).where(ServiceRequest.id == key).with_for_update()
    return (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def hold_for_platform(session: AsyncSession, key: UUID) -> ServiceRequest:
    """The same for what no caller does; the key comes from a row of ours."""
    query = select(ServiceRequest).where(ServiceRequest.id == key).with_for_update()
    return (await session.scalars(query.execution_options(populate_existing=True))).one()


async def by_ticket(session: AsyncSession, ticket: str) -> ServiceRequest | None:
    query = select(ServiceRequest).where(
        ServiceRequest.ticket == ticket, ServiceRequest.submitted_at.is_not(None)
    )
    return (await session.scalars(query)).one_or_none()


async def acts(session: AsyncSession, key: UUID) -> Sequence[RequestAct]:
    query = select(RequestAct).where(RequestAct.request_id == key).order_by(RequestAct.number)
    return (await session.scalars(query.limit(ACTS_MAX))).all()


async def due_changes(session: AsyncSession, key: UUID) -> Sequence[RequestDueChange]:
    query = select(RequestDueChange).where(RequestDueChange.request_id == key)
    return (await session.scalars(query.order_by(RequestDueChange.at))).all()


async def tasks(session: AsyncSession, key: UUID) -> Sequence[RequestTask]:
    query = (
        select(RequestTask)
        .where(RequestTask.request_id == key)
        .order_by(RequestTask.position, RequestTask.id)
        .limit(TASKS_MAX)
    )
    return (await session.scalars(query)).all()


async def tasks_of(session: AsyncSession, keys: Collection[UUID]) -> Sequence[RequestTask]:
    """Of several requests, each one's in its order; at most TASKS_MAX for each on average."""
    query = (
        select(RequestTask)
        .where(RequestTask.request_id.in_(keys))
        .order_by(RequestTask.request_id, RequestTask.position, RequestTask.id)
        .limit(TASKS_MAX * len(keys))
    )
    return (await session.scalars(query)).all()


async def find_task(session: AsyncSession, key: UUID) -> RequestTask | None:
    return await session.get(RequestTask, key)


async def queue(
    session: AsyncSession,
    agencies: Collection[str] | None,
    mine: str | None,
    page_: tuple[UUID | None, int],
) -> Sequence[QueuedTask]:
    """Tasks to be done, the oldest first; `agencies` null is all (operator)."""
    after, limit = page_
    query = (
        select(RequestTask, ServiceRequest)
        .join(ServiceRequest, ServiceRequest.id == RequestTask.request_id)
        .where(
            RequestTask.state.in_(("open", "claimed")),
            true() if agencies is None else RequestTask.agency.in_(agencies),
        )
        .order_by(RequestTask.id)
        .limit(limit + 1)
    )
    if mine is not None:
        query = query.where(RequestTask.claimed_by == mine)
    if after is not None:
        query = query.where(RequestTask.id > after)
    return (await session.execute(query)).all()


async def keep_document(session: AsyncSession, values: dict[str, Any]) -> None:
    """The same bytes again change nothing."""
    query = insert(RequestDocument).values(values).on_conflict_do_nothing()
    await session.execute(query)


async def document(
    session: AsyncSession, key: UUID, code: str, sha256: str
) -> RequestDocument | None:
    query = (
        select(RequestDocument)
        .options(undefer(RequestDocument.content))
        .where(
            RequestDocument.request_id == key,
            RequestDocument.code == code,
            RequestDocument.sha256 == sha256,
        )
    )
    return (await session.scalars(query)).one_or_none()


async def forget_documents(session: AsyncSession, key: UUID) -> None:
    await session.execute(delete(RequestDocument).where(RequestDocument.request_id == key))


async def documents_count(session: AsyncSession, key: UUID) -> int:
    query = (
        select(func.count()).select_from(RequestDocument).where(RequestDocument.request_id == key)
    )
    return (await session.scalar(query)) or 0
