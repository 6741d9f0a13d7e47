"""Decisions about interfaces: publish, retire, find, and what the routing snapshot takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import rfc8785
from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.interfaces import access, events, store
from sebalai_exchange.interfaces.model import ACTIVE, RETIRED, Interface
from sebalai_exchange.interfaces.schema import InterfacePublish
from sebalai_exchange.interfaces.store import InterfaceFilter
from sebalai_exchange.names import agency_of, provider_of

__all__ = ["InterfaceFilter"]


class NotTheProvider(Forbidden):
    slug, title = "not-the-provider", "Only the providing application may do this"


class MemberReserved(Forbidden):
    slug, title = "member-reserved", "Only the operator may publish interfaces of the platform"


class InterfaceUnknown(NotFound):
    slug, title = "interface-unknown", "There is no such interface"


def _require_provider(caller: Caller, provider: str) -> None:
    if not access.may_manage(caller, provider):
        raise NotTheProvider(
            f"Call as {provider} with scope {access.MANAGE}; an interface belongs to the "
            "application its name begins with."
        )


def canonical_contract(document: dict[str, Any]) -> tuple[str, str]:
    """The document as RFC 8785 text, and the hex SHA-256 of exactly that text."""
    try:
        text = rfc8785.dumps(document)
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeError) as error:
        detail = "The contract must be plain JSON: no number beyond 2^53, not nested too deeply."
        raise FieldInvalid("/contract", detail) from error
    return text.decode(), sha256(text).hexdigest()


async def publish_interface(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: InterfacePublish
) -> Interface:
    """Makes the interface, or replaces what it offers when the name exists already.

    Raises `NotTheProvider`, `MemberReserved`, `FieldInvalid`.
    """
    provider = provider_of(wanted.name)
    _require_provider(caller, provider)
    if wanted.member is not None and not access.may_name_member(caller):
        raise MemberReserved("Leave `member` out, or ask the operator of the platform.")
    document, digest = canonical_contract(wanted.contract)
    await store.keep_contract(session, digest, document, clock.now())
    interface = await store.lock_by_name(session, wanted.name)
    if interface is None:
        interface = Interface(id=uuid7(), name=wanted.name, published_at=clock.now())
        session.add(interface)
    elif interface.member is not None and not access.may_name_member(caller):
        raise MemberReserved("This interface is the platform's own.")
    interface.title = wanted.title
    interface.provider, interface.agency = provider, agency_of(provider)
    interface.addresses, interface.member = list(wanted.addresses), wanted.member
    interface.contract_sha256, interface.state = digest, ACTIVE
    interface.reason = None
    for name, value in wanted.limits:
        setattr(interface, name, value)
    interface.changed_at = clock.now()
    await session.flush()
    await publish(session, events.published(interface, clock))
    return interface


async def retire_interface(
    session: AsyncSession, clock: Clock, *, caller: Caller, interface_id: UUID, reason: str
) -> Interface:
    """Takes the interface out of the routing snapshot; its contract stays readable.

    Raises `InterfaceUnknown`, `NotTheProvider`.
    """
    interface = await find_interface(session, caller=caller, interface_id=interface_id)
    _require_provider(caller, interface.provider)
    if interface.state != RETIRED:
        interface.state, interface.reason = RETIRED, reason
        interface.changed_at = clock.now()
        await session.flush()
        await publish(session, events.retired(interface, clock))
    return interface


async def list_interfaces(
    session: AsyncSession, *, caller: Caller, wanted: InterfaceFilter, after: str | None, limit: int
) -> Sequence[Interface]:
    return await store.page(session, caller, wanted, after, limit)


async def find_interface(session: AsyncSession, *, caller: Caller, interface_id: UUID) -> Interface:
    interface = await store.find(session, caller, interface_id)
    if interface is None:
        raise InterfaceUnknown("Look it up under /v1/interfaces.")
    return interface


async def read_contract(session: AsyncSession, *, caller: Caller, interface_id: UUID) -> str:
    interface = await find_interface(session, caller=caller, interface_id=interface_id)
    return await store.contract(session, interface.contract_sha256)


@dataclass(frozen=True)
class OfferedInterface:
    """What an agreement needs to know of the interface it is about."""

    id: UUID
    provider: str
    agency: str
    is_active: bool


async def offered_interface(session: AsyncSession, *, name: str) -> OfferedInterface | None:
    interface = await store.by_name(session, name)
    if interface is None:
        return None
    return OfferedInterface(
        interface.id, interface.provider, interface.agency, interface.state == ACTIVE
    )


async def routed_interfaces(
    session: AsyncSession, *, after: int, limit: int
) -> tuple[list[str], list[str]]:
    """Of those changed after a version (0: all): JSON for the routing snapshot (wiring, section 7),
    and the names of those no more active.
    """
    return await store.routed(session, after, limit)
