"""SQL of agreements; every read begins at `visible_to`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.agreements.model import Agreement

GRANTED = "granted"


@dataclass(frozen=True)
class AgreementFilter:
    state: str | None = None
    interface: str | None = None
    consumer: str | None = None


def visible_to(caller: Caller) -> Select[Agreement]:
    query = select(Agreement)
    if caller.is_operator:
        return query
    if caller.application is None:
        return query.where(false())
    return query.where(
        or_(Agreement.consumer == caller.application, Agreement.provider == caller.application)
    )


def _in_state(state: str, now: datetime) -> ColumnElement[bool]:
    has_ended = and_(Agreement.valid_until <= now, Agreement.state != "revoked")
    if state == "expired":
        return has_ended
    return and_(Agreement.state == state, ~has_ended)


async def page(
    session: AsyncSession,
    caller: Caller,
    wanted: AgreementFilter,
    now: datetime,
    span: tuple[UUID | None, int],
) -> Sequence[Agreement]:
    """Up to `limit + 1` agreements, newest first; `span` is (before which id, limit)."""
    before, limit = span
    query = visible_to(caller).order_by(Agreement.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(Agreement.id < before)
    if wanted.state is not None:
        query = query.where(_in_state(wanted.state, now))
    if wanted.interface is not None:
        query = query.where(Agreement.interface == wanted.interface)
    if wanted.consumer is not None:
        query = query.where(Agreement.consumer == wanted.consumer)
    return (await session.scalars(query)).all()


async def find(
    session: AsyncSession, caller: Caller, agreement_id: UUID, *, is_to_change: bool = False
) -> Agreement | None:
    query = visible_to(caller).where(Agreement.id == agreement_id)
    return await session.scalar(query.with_for_update() if is_to_change else query)


async def granted(session: AsyncSession, now: datetime) -> Sequence[Agreement]:
    """What gateways may let through, now or later: granted and not over."""
    query = (
        select(Agreement)
        .where(Agreement.state == GRANTED, Agreement.valid_until > now)
        .order_by(Agreement.id)
    )
    return (await session.scalars(query)).all()
