"""SQL of interfaces. Reading is public: `visible_to` hides only the retired from strangers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.interfaces.model import ACTIVE, Contract, Interface


@dataclass(frozen=True)
class InterfaceFilter:
    agency: str | None = None
    provider: str | None = None
    name: str | None = None


def visible_to(caller: Caller) -> Select[Interface]:
    query = select(Interface)
    if caller.is_operator:
        return query
    return query.where(
        or_(Interface.state == ACTIVE, Interface.provider == (caller.application or ""))
    )


async def page(
    session: AsyncSession, caller: Caller, wanted: InterfaceFilter, after: str | None, limit: int
) -> Sequence[Interface]:
    """Up to `limit + 1` interfaces by name."""
    query = visible_to(caller).order_by(Interface.name).limit(limit + 1)
    if after is not None:
        query = query.where(Interface.name > after)
    for column in ("agency", "provider", "name"):
        value = getattr(wanted, column)
        if value is not None:
            query = query.where(getattr(Interface, column) == value)
    return (await session.scalars(query)).all()


async def find(session: AsyncSession, caller: Caller, interface_id: UUID) -> Interface | None:
    return await session.scalar(visible_to(caller).where(Interface.id == interface_id))


async def lock_by_name(session: AsyncSession, name: str) -> Interface | None:
    return await session.scalar(select(Interface).where(Interface.name == name).with_for_update())


async def by_name(session: AsyncSession, name: str) -> Interface | None:
    return await session.scalar(select(Interface).where(Interface.name == name))


_ROUTED = text(
    """
    SELECT name, state = 'active' AS is_in, json_build_object(
      'id', id, 'name', name, 'provider', provider, 'agency', agency, 'addresses', addresses,
      'contract_sha256', contract_sha256, 'state', state, 'member', member,
      'connect_timeout_ms', connect_timeout_ms, 'read_timeout_ms', read_timeout_ms,
      'total_timeout_ms', total_timeout_ms, 'max_request_bytes', max_request_bytes)::text
      AS document
    FROM interface WHERE route_version > :after ORDER BY name LIMIT :limit
    """
)


async def routed(session: AsyncSession, after: int, limit: int) -> tuple[list[str], list[str]]:
    """JSON of the active, names of the others, of up to `limit` changed after a version."""
    rows = (await session.execute(_ROUTED, {"after": after, "limit": limit})).all()
    return [row.document for row in rows if row.is_in], [row.name for row in rows if not row.is_in]


async def keep_contract(session: AsyncSession, sha256: str, document: str, at: datetime) -> None:
    row = {"sha256": sha256, "document": document, "stored_at": at}
    await session.execute(insert(Contract).values(row).on_conflict_do_nothing())


async def contract(session: AsyncSession, sha256: str) -> str:
    return (await session.scalars(select(Contract.document).where(Contract.sha256 == sha256))).one()
