"""SQL of agreements; every read begins at `visible_to`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.agreements.access import MANAGE
from sebalai_exchange.agreements.model import Agreement

GRANTED = "granted"
ENDED = ("revoked", "replaced")


@dataclass(frozen=True)
class AgreementFilter:
    state: str | None = None
    interface: str | None = None
    consumer: str | None = None
    series: UUID | None = None


def visible_to(caller: Caller) -> Select[Agreement]:
    """Both sides; with the right to decide, also the other applications of their agencies."""
    query = select(Agreement)
    if caller.is_operator:
        return query
    if caller.application is None:
        return query.where(false())
    own = caller.application
    sides = [
        Agreement.consumer == own,
        Agreement.provider == own,
        Agreement.consumer.startswith(f"{own}/groups/", autoescape=True),
    ]
    if caller.has_scope(MANAGE):
        house = own.rpartition("/")[0]
        sides += [Agreement.consumer_owner == house, Agreement.provider_owner == house]
    return query.where(or_(*sides))


def _in_state(state: str, now: datetime) -> ColumnElement[bool]:
    has_ended = and_(Agreement.valid_until <= now, Agreement.state.not_in(ENDED))
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
    if wanted.series is not None:
        query = query.where(Agreement.series == wanted.series)
    if wanted.consumer is not None:
        query = query.where(Agreement.consumer == wanted.consumer)
    return (await session.scalars(query)).all()


async def find(
    session: AsyncSession, caller: Caller, agreement_id: UUID, *, is_to_change: bool = False
) -> Agreement | None:
    query = visible_to(caller).where(Agreement.id == agreement_id)
    return await session.scalar(query.with_for_update() if is_to_change else query)


async def locked(session: AsyncSession, agreement_id: UUID) -> Agreement:
    query = select(Agreement).where(Agreement.id == agreement_id).with_for_update()
    return (await session.scalars(query)).one()


async def is_pending(session: AsyncSession, series: UUID) -> bool:
    query = select(Agreement.id).where(Agreement.series == series, Agreement.state == "requested")
    return await session.scalar(query) is not None


async def granted(session: AsyncSession, now: datetime) -> Sequence[Agreement]:
    """What gateways may let through, now or later: granted and not over."""
    query = (
        select(Agreement)
        .where(Agreement.state == GRANTED, Agreement.valid_until > now)
        .order_by(Agreement.id)
    )
    return (await session.scalars(query)).all()


async def in_force(
    session: AsyncSession, consumers: Sequence[str], now: datetime
) -> Sequence[Agreement]:
    query = select(Agreement).where(
        Agreement.consumer.in_(consumers),
        Agreement.state == GRANTED,
        Agreement.valid_from <= now,
        Agreement.valid_until > now,
    )
    return (await session.scalars(query)).all()
