"""SQL of agreements; every read begins at `visible_to`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.agreements.access import MANAGE
from sebalai_exchange.agreements.model import Agreement
from sebalai_exchange.agreements.taking_part import EVENT_METHODS

GRANTED = "granted"
CONSUMERS_MAX = 10_000
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


async def keeping(session: AsyncSession, interface: str, now: datetime) -> Sequence[Agreement]:
    """In force on the interface, with a purpose that says how long it keeps."""
    query = select(Agreement).where(
        Agreement.interface == interface,
        Agreement.state == GRANTED,
        Agreement.valid_from <= now,
        Agreement.valid_until > now,
        func.jsonb_path_exists(Agreement.purposes, text("'$[*].keep_days'")),
    )
    return (await session.scalars(query)).all()


async def consumers(session: AsyncSession) -> Sequence[str]:
    query = select(Agreement.consumer).where(Agreement.state == GRANTED).distinct()
    return (await session.scalars(query.limit(CONSUMERS_MAX))).all()


_TIME = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
_EVENTS = ", ".join(f"'{method}'" for method in sorted(EVENT_METHODS))
_IS_ROUTED = f"""
    state = 'granted' AND valid_until > :now AND EXISTS (
      SELECT FROM jsonb_array_elements(rules) rule WHERE rule->>'method' NOT IN ({_EVENTS}))
"""
# The database writes the JSON: a hundred thousand rows never become objects here.
_DOCUMENT = f"""
    json_build_object(
      'id', id, 'series', series, 'consumer', consumer, 'interface', interface,
      'rules', (SELECT json_agg(rule ORDER BY place)
                FROM jsonb_array_elements(rules) WITH ORDINALITY AS one (rule, place)
                WHERE rule->>'method' NOT IN ({_EVENTS})),
      'purposes', purposes,
      'valid_from', {_TIME.format("valid_from")}, 'valid_until', {_TIME.format("valid_until")},
      'quota_per_day', quota_per_day, 'quota_per_month', quota_per_month,
      'rate_per_second', rate_per_second, 'burst', burst, 'min_assurance', min_assurance,
      'bound_addresses', bound_addresses, 'bound_certificates', bound_certificates,
      'signing', signing)::text
"""  # noqa: S608 - own columns
_ALL = text(
    f"SELECT {_DOCUMENT} FROM agreement "  # noqa: S608 - own columns
    f"WHERE {_IS_ROUTED} ORDER BY id"
)
_CHANGED = text(
    f"SELECT id::text, {_IS_ROUTED} AS is_in, "  # noqa: S608 - own columns
    f"{_DOCUMENT} AS document FROM agreement WHERE route_version > :after ORDER BY id LIMIT :limit"
)


async def routed(session: AsyncSession, now: datetime) -> Sequence[str]:
    """What gateways may let through, now or later: granted and not over, as JSON."""
    return (await session.scalars(_ALL, {"now": now})).all()


async def routed_since(
    session: AsyncSession, now: datetime, after: int, limit: int
) -> tuple[list[str], list[str]]:
    """JSON of what may be let through, ids of what may not any more, of up to `limit` changes."""
    values = {"now": now, "after": after, "limit": limit}
    rows = (await session.execute(_CHANGED, values)).all()
    return [row.document for row in rows if row.is_in], [row.id for row in rows if not row.is_in]
