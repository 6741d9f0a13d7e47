"""Decisions about interfaces: publish, retire, find, and what the routing snapshot takes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.interfaces import access, events, store
from sebalai_exchange.interfaces.model import ACTIVE, RETIRED, Interface, InterfaceVersion
from sebalai_exchange.interfaces.schema import InterfaceDeprecate, InterfacePublish
from sebalai_exchange.interfaces.store import InterfaceFilter
from sebalai_exchange.names import agency_of, provider_of
from sebalai_exchange.openapi.running import (
    ContractReader,
    ContractRefused,
    ReadContract,
    Reading,
)
from sebalai_exchange.peers.actions import address_there

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


class BreakingChange(Conflict):
    slug, title = "breaking-change", "Consumers of the former version would notice"


class ContractChanged(Conflict):
    slug, title = "contract-changed", "Another contract was published meanwhile"


class ReadingReserved(Forbidden):
    slug, title = "reading-reserved", "Contracts are read for those who publish"


class ContractUnusable(FieldInvalid):
    """The contract cannot be published; the pointer goes on inside the document."""

    slug, title = "contract-unusable", "The contract cannot be published"

    def __init__(self, refused: ContractRefused) -> None:
        pointer = f"/contract{refused.pointer}"
        super().__init__(pointer, f"{pointer}: {refused.detail}")


def encoded(document: dict[str, Any]) -> bytes:
    """Raises `FieldInvalid`."""
    try:
        return json.dumps(document, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        detail = "must be plain JSON: no number beyond 2^53, no half characters, no deep nesting"
        raise FieldInvalid("/contract", detail) from error


async def _read(reader: ContractReader, wanted: Reading) -> ReadContract:
    """Raises `ContractUnusable`, `Unavailable`."""
    try:
        return await reader.read(wanted)
    except ContractRefused as refused:
        raise ContractUnusable(refused) from refused


async def _document(session: AsyncSession, wanted: InterfacePublish) -> bytes:
    if wanted.contract is not None:
        return encoded(wanted.contract)
    found = await store.contract_or_none(session, str(wanted.contract_sha256))
    if found is None:
        raise FieldInvalid("/contract_sha256", "upload it first: POST /v1/contracts")
    return found.encode()


@dataclass(frozen=True)
class Proposal:
    """A contract that was read, and the digest of the one it was compared with, if there was."""

    contract: ReadContract
    former_sha256: str | None


async def read_proposal(
    database: Database, *, caller: Caller, wanted: InterfacePublish, reader: ContractReader
) -> Proposal:
    """Reads the contract before there is a transaction: that may last seconds, and an open
    transaction holds back everybody's events.

    Raises `NotTheProvider`, `MemberReserved`, `FieldInvalid`, `ContractUnusable`, `Unavailable`.
    """
    async with database.transaction() as session:
        interface = await store.by_name(session, wanted.name)
        _require_right(caller, wanted, interface)
        former_sha256 = interface.contract_sha256 if interface else None
        former = await store.contract(session, former_sha256) if former_sha256 else None
        document = await _document(session, wanted)
    reading = Reading(
        document,
        former.encode() if former else None,
        f"{reader.public_url}/r1/{wanted.name}",
        wanted.validation.is_on,
    )
    return Proposal(await _read(reader, reading), former_sha256)


def _require_right(caller: Caller, wanted: InterfacePublish, interface: Interface | None) -> None:
    _require_provider(caller, provider_of(wanted.name))
    if wanted.member is not None and not access.may_name_member(caller):
        raise MemberReserved("Leave `member` out, or ask the operator of the platform.")
    is_members = interface is not None and interface.member is not None
    if is_members and not access.may_name_member(caller):
        raise MemberReserved("This interface is the platform's own.")


def _require_comparison(
    proposal: Proposal, interface: Interface | None, *, accepts_breaks: bool
) -> None:
    present = interface.contract_sha256 if interface else None
    if present not in (proposal.former_sha256, proposal.contract.sha256):
        raise ContractChanged("It is compared with a contract that is no longer in force; repeat.")
    breaks = proposal.contract.breaks if present == proposal.former_sha256 else []
    if breaks and not accepts_breaks:
        raise BreakingChange(
            f"{len(breaks)} breaks, the first: {breaks[0]}. Publish it as a new "
            "interface, or with accept_breaks after your consumers agreed.",
            breaks=breaks,
        )


async def publish_interface(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    wanted: InterfacePublish,
    proposal: Proposal,
    instance: str,
) -> Interface:
    """Makes the interface, or replaces what it offers when the name exists already.

    `instance` is our own; an interface of another one is called at that one's gateway.

    Raises `NotTheProvider`, `MemberReserved`, `BreakingChange`, `ContractChanged`, `FieldInvalid`.
    """
    provider, contract = provider_of(wanted.name), proposal.contract
    interface = await store.lock_by_name(session, wanted.name)
    _require_right(caller, wanted, interface)
    await _require_place(session, wanted, instance)
    _require_comparison(proposal, interface, accepts_breaks=wanted.accept_breaks)
    await store.keep_contract(session, contract, clock.now())
    is_new = interface is None
    if interface is None:
        interface = Interface(id=uuid7(), name=wanted.name, published_at=clock.now())
        session.add(interface)
    is_changed = is_new or interface.contract_sha256 != contract.sha256
    if is_changed and not is_new:
        interface.contract_version += 1
    interface.provider, interface.agency = provider, agency_of(provider)
    interface.contract_sha256, interface.state = contract.sha256, ACTIVE
    _offer(interface, wanted)
    interface.changed_at = clock.now()
    await session.flush()
    if is_changed:
        await store.add_version(session, interface, contract, access.who(caller), clock.now())
    await publish(session, events.published(interface, events.told_by(caller), clock))
    return interface


async def _require_place(session: AsyncSession, wanted: InterfacePublish, instance: str) -> None:
    """An interface of another instance stands at that instance's gateway. Raises `FieldInvalid`."""
    if wanted.name.partition("/")[0] == instance:
        return
    there = await address_there(session, interface=wanted.name)
    if there is None:
        raise FieldInvalid("/name", "its instance is not named; the operator does (PUT /v1/peers)")
    if list(wanted.addresses) != [there]:
        raise FieldInvalid("/addresses", f"must be {there}")


def _offer(interface: Interface, wanted: InterfacePublish) -> None:
    interface.title, interface.member = wanted.title, wanted.member
    interface.addresses = list(wanted.addresses)
    interface.validate_requests = wanted.validation.requests
    interface.validate_responses = wanted.validation.responses
    interface.trust_anchors = wanted.trust_anchors
    shown = wanted.credential
    interface.credential = shown.model_dump(exclude_none=True) if shown else None
    # Publishing again takes back an end that was announced.
    interface.reason = interface.deprecated_at = interface.sunset_at = interface.successor = None
    for name, value in wanted.limits:
        setattr(interface, name, value)


def _require_reading(caller: Caller) -> None:
    if not access.may_have_read(caller):
        raise ReadingReserved(f"Call with scope {access.MANAGE}.")


async def read_upload(*, caller: Caller, document: bytes, reader: ContractReader) -> ReadContract:
    """Reads a contract for a later publish. Raises `ReadingReserved`, `ContractUnusable`."""
    _require_reading(caller)
    return await _read(reader, Reading(document, None, "", is_checked=False))


async def keep_contract(session: AsyncSession, clock: Clock, *, contract: ReadContract) -> None:
    await store.keep_contract(session, contract, clock.now())


async def compare_contract(
    database: Database,
    *,
    caller: Caller,
    interface_id: UUID,
    document: bytes,
    reader: ContractReader,
) -> tuple[ReadContract, bool]:
    """What publishing it would break, and whether it is the present one.

    Raises `ReadingReserved`, `InterfaceUnknown`, `ContractUnusable`.
    """
    _require_reading(caller)
    async with database.transaction() as session:
        interface = await find_interface(session, caller=caller, interface_id=interface_id)
        former = await store.contract(session, interface.contract_sha256)
    reading = Reading(document, former.encode(), "", is_checked=False)
    contract = await _read(reader, reading)
    return contract, contract.sha256 == interface.contract_sha256


async def deprecate_interface(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    interface_id: UUID,
    wanted: InterfaceDeprecate,
) -> Interface:
    """Announces the end: answers carry `Deprecation` and `Sunset`; calls go on.

    Raises `InterfaceUnknown`, `NotTheProvider`, `FieldInvalid`.
    """
    interface = await find_interface(session, caller=caller, interface_id=interface_id)
    _require_provider(caller, interface.provider)
    if wanted.sunset_at <= clock.now():
        raise FieldInvalid("/sunset_at", "must lie in the future")
    interface.deprecated_at = interface.deprecated_at or clock.now()
    interface.sunset_at, interface.successor = wanted.sunset_at, wanted.successor
    interface.changed_at = clock.now()
    await session.flush()
    await publish(session, events.deprecated(interface, events.told_by(caller), clock))
    return interface


async def list_versions(
    session: AsyncSession, *, caller: Caller, interface_id: UUID
) -> Sequence[InterfaceVersion]:
    """Newest first. Raises `InterfaceUnknown`."""
    await find_interface(session, caller=caller, interface_id=interface_id)
    return await store.versions(session, interface_id)


async def contract_pack(session: AsyncSession, *, sha256: str) -> str | None:
    """What gateways check calls by; None when this contract is not checked."""
    return await store.pack(session, sha256)


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
        await publish(session, events.retired(interface, events.told_by(caller), clock))
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


@dataclass(frozen=True)
class ActiveInterface:
    """`outline` is JSON: [method, path, operationId] for each operation of the contract."""

    id: UUID
    name: str
    provider: str
    outline: str | None


async def active_interfaces(session: AsyncSession, *, provider: str) -> list[ActiveInterface]:
    rows = await store.active_of(session, provider)
    return [ActiveInterface(one.id, one.name, one.provider, outline) for one, outline in rows]


async def providers_known(session: AsyncSession) -> Sequence[str]:
    return await store.providers(session)


async def served_contract(session: AsyncSession, *, interface_id: UUID) -> str | None:
    """The present contract as consumers are served it; None for one published before that was."""
    return await store.served(session, interface_id)
