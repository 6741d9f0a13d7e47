"""SQL of interfaces. Reading is public: `visible_to` hides only the retired from strangers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from sebalai_exchange.interfaces.model import ACTIVE, Contract, Interface, InterfaceVersion
from sebalai_exchange.locks import hold_name
from sebalai_exchange.openapi.running import ReadContract

VERSIONS_MAX = 100
LISTED_MAX = 10_000


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
    await hold_name(session, "interface", name)
    return await session.scalar(select(Interface).where(Interface.name == name).with_for_update())


async def by_name(session: AsyncSession, name: str) -> Interface | None:
    return await session.scalar(select(Interface).where(Interface.name == name))


_ROUTED = text(
    """
    SELECT name, state = 'active' AS is_in, json_build_object(
      'id', id, 'name', name, 'provider', provider, 'agency', agency, 'addresses', addresses,
      'contract_sha256', contract_sha256, 'state', state, 'member', member,
      'connect_timeout_ms', connect_timeout_ms, 'read_timeout_ms', read_timeout_ms,
      'validate_requests', validate_requests, 'validate_responses', validate_responses,
      'deprecated_at', extract(epoch FROM deprecated_at)::bigint,
      'sunset_at', extract(epoch FROM sunset_at)::bigint,
      'total_timeout_ms', total_timeout_ms, 'max_request_bytes', max_request_bytes,
      'max_concurrency', max_concurrency, 'trust_anchors', trust_anchors,
      'credential', credential)::text
      AS document
    FROM interface WHERE route_version > :after ORDER BY name LIMIT :limit
    """
)


async def routed(session: AsyncSession, after: int, limit: int) -> tuple[list[str], list[str]]:
    """JSON of the active, names of the others, of up to `limit` changed after a version."""
    rows = (await session.execute(_ROUTED, {"after": after, "limit": limit})).all()
    return [row.document for row in rows if row.is_in], [row.name for row in rows if not row.is_in]


async def keep_contract(session: AsyncSession, contract: ReadContract, at: datetime) -> None:
    """Keeps it, from now on anew; a pack that was not made before is added."""
    row = insert(Contract).values(
        sha256=contract.sha256, document=contract.canonical, stored_at=at,
        outline=contract.outline, pack=contract.pack or None,
    )  # fmt: skip
    kept = {
        "outline": row.excluded.outline,
        "stored_at": row.excluded.stored_at,
        "pack": func.coalesce(row.excluded.pack, Contract.pack),
    }
    await session.execute(row.on_conflict_do_update(index_elements=["sha256"], set_=kept))


async def add_version(
    session: AsyncSession, interface: Interface, contract: ReadContract, by: str, at: datetime
) -> None:
    session.add(
        InterfaceVersion(
            interface_id=interface.id, number=interface.contract_version,
            contract_sha256=contract.sha256, contract_version=contract.version,
            breaks=contract.breaks, served=contract.served, published_by=by, published_at=at,
        )
    )  # fmt: skip
    await session.flush()


async def versions(session: AsyncSession, interface_id: UUID) -> Sequence[InterfaceVersion]:
    query = (
        select(InterfaceVersion)
        .options(defer(InterfaceVersion.served))
        .where(InterfaceVersion.interface_id == interface_id)
        .order_by(InterfaceVersion.number.desc())
        .limit(VERSIONS_MAX)
    )
    return (await session.scalars(query)).all()


async def served(session: AsyncSession, interface_id: UUID) -> str | None:
    query = (
        select(InterfaceVersion.served)
        .join(Interface, Interface.id == InterfaceVersion.interface_id)
        .where(Interface.id == interface_id, InterfaceVersion.number == Interface.contract_version)
    )
    return await session.scalar(query)


async def active_of(session: AsyncSession, provider: str) -> Sequence[tuple[Interface, str | None]]:
    """Active interfaces of an application with their contracts' outlines, by name."""
    query = (
        select(Interface, Contract.outline)
        .join(Contract, Contract.sha256 == Interface.contract_sha256)
        .where(Interface.provider == provider, Interface.state == ACTIVE)
        .order_by(Interface.name)
        .limit(LISTED_MAX)
    )
    return [(one, outline) for one, outline in await session.execute(query)]


async def providers(session: AsyncSession) -> Sequence[str]:
    query = select(Interface.provider).where(Interface.state == ACTIVE).distinct()
    return (await session.scalars(query.limit(LISTED_MAX))).all()


async def pack(session: AsyncSession, sha256: str) -> str | None:
    return await session.scalar(select(Contract.pack).where(Contract.sha256 == sha256))


async def contract_or_none(session: AsyncSession, sha256: str) -> str | None:
    return await session.scalar(select(Contract.document).where(Contract.sha256 == sha256))


async def contract(session: AsyncSession, sha256: str) -> str:
    return (await session.scalars(select(Contract.document).where(Contract.sha256 == sha256))).one()
