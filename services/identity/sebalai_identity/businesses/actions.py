"""Decisions about businesses: register with a NIB, who represents them, close.

Owns who may act for a business. Does not own permits or OSS's own data.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, FieldInvalid, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity import numbers
from sebalai_identity.acts.actions import note, tell
from sebalai_identity.businesses import events, store
from sebalai_identity.businesses.model import ACTIVE, CLOSED, Business, Representation
from sebalai_identity.businesses.schema import (
    BusinessRead,
    BusinessRegister,
    RepresentationRecord,
)
from sebalai_identity.desk import Desk
from sebalai_identity.numbers import NumberInvalid
from sebalai_identity.persons.actions import (
    PersonUnknown,
    get_person,
    is_self,
    may_keep_people,
    require_keeper,
)
from sebalai_identity.revocations.actions import revoke
from sebalai_identity.rows import insert_once
from sebalai_identity.vault import NumberVault
from sebalai_identity.wording import Ending, end_of, is_within, require_period

__all__ = ["BusinessRead", "BusinessRegister", "RepresentationRecord"]

NIB = "nib"


class BusinessUnknown(NotFound):
    slug, title = "business-unknown", "There is no such business, or it is not yours to see"


class BusinessKnown(Conflict):
    slug, title = "business-known", "A business with this NIB is registered already"


class BusinessClosed(Conflict):
    slug, title = "business-closed", "The business is closed"


class RepresentationUnknown(NotFound):
    slug, title = "representation-unknown", "There is no such representation"


class RepresentationKnown(Conflict):
    slug, title = "representation-known", "The person represents the business in that time already"


@dataclass(frozen=True, slots=True)
class KnownRepresentation:
    id: UUID
    business_id: UUID
    capacity: str
    matters: tuple[str, ...] | None
    valid_from: datetime
    valid_until: datetime | None


async def represented_by(
    session: AsyncSession, *, person_id: UUID, at: datetime
) -> tuple[KnownRepresentation, ...]:
    """For slices of identity, which decide who may."""
    rows = await store.held(session, person_id, at)
    return tuple(
        KnownRepresentation(
            row.id,
            row.business_id,
            row.capacity,
            None if row.matters is None else tuple(row.matters),
            row.valid_from,
            row.valid_until,
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class NamedBusiness:
    """`nib` whole: for tokens and pages of those who represent it."""

    id: UUID
    name: str
    nib: str


async def named(
    session: AsyncSession, vault: NumberVault | None, *, business_ids: Collection[UUID]
) -> dict[UUID, NamedBusiness]:
    """For slices of identity. Raises `SealBroken`; without a vault there is no business."""
    if vault is None or not business_ids:
        return {}
    rows = await store.by_ids(session, business_ids)
    return {
        row.id: NamedBusiness(row.id, row.name, vault.open(row.nib_sealed, _place(row.id)))
        for row in rows
    }


async def register_business(
    session: AsyncSession, desk: Desk, *, wanted: BusinessRegister
) -> Business:
    """Raises `PeopleOnly`, `FieldInvalid`, `BusinessKnown`, `NoSealingKey`."""
    require_keeper(desk.caller)
    nib = wanted.nib.get_secret_value()
    try:
        numbers.require_nib(nib)
    except NumberInvalid as error:
        raise FieldInvalid("/nib", f"Not a NIB: {error.reason}.") from None
    business_id = uuid7()
    row = Business(
        id=business_id,
        name=wanted.name,
        nib_sealed=desk.numbers.seal(nib, _place(business_id)),
        nib_index=desk.numbers.index(NIB, nib),
        nib_key=desk.numbers.key_id,
        state=ACTIVE,
        registered_at=desk.now,
        changed_at=desk.now,
    )
    await insert_once(session, row, BusinessKnown("Find it under /v1/businesses/find."))
    await _told(session, desk, row, events.REGISTERED)
    return row


def _place(business_id: UUID) -> str:
    return f"business.nib:{business_id}"


async def _told(session: AsyncSession, desk: Desk, row: Business, kind: str) -> None:
    data: dict[str, object] = {"business_id": str(row.id)}
    await tell(session, desk, kind=kind, subject=str(row.id), data=data)


async def look_up(session: AsyncSession, desk: Desk, *, nib: str) -> Business:
    """A keeper's search; found, it is an act. Raises `PeopleOnly`, `BusinessUnknown`."""
    require_keeper(desk.caller)
    row = await store.by_nib_index(session, desk.numbers.index(NIB, nib))
    if row is None:
        raise BusinessUnknown("Register it, or check the NIB.")
    await note(session, desk, act=events.LOOKED_UP, subject=str(row.id))
    return row


async def show(
    session: AsyncSession, desk: Desk, *, business_id: UUID
) -> tuple[Business, Sequence[Representation]]:
    """With who represents it; for keepers and for those who do now. Raises `BusinessUnknown`."""
    row = await store.by_id(session, business_id)
    people = await store.of_business(session, business_id) if row is not None else []
    is_theirs = any(
        _is_by(desk.caller, one) and is_within(one.valid_from, one.valid_until, desk.now)
        for one in people
    )
    if row is None or not (may_keep_people(desk.caller) or is_theirs):
        raise BusinessUnknown("Find it under /v1/businesses/find.")
    return row, people


def _is_by(caller: Caller, one: Representation) -> bool:
    """Its representative, for themself or for this very business."""
    is_for_it = caller.acting_for == str(one.business_id) and caller.subject == str(one.person_id)
    return is_for_it or is_self(caller, one.person_id)


async def _locked(session: AsyncSession, desk: Desk, business_id: UUID) -> Business:
    require_keeper(desk.caller)
    row = await store.lock(session, business_id)
    if row is None:
        raise BusinessUnknown("Find it under /v1/businesses/find.")
    return row


async def close_business(
    session: AsyncSession, desk: Desk, *, business_id: UUID, reason: str
) -> Business:
    """Nobody acts for it any more. Raises `PeopleOnly`, `BusinessUnknown`."""
    row = await _locked(session, desk, business_id)
    if row.state != CLOSED:
        row.state, row.reason, row.changed_at = CLOSED, reason, desk.now
        for one in await store.of_business(session, business_id):
            await revoke(session, desk.clock, kind="rep", value=one.id, reason=CLOSED)
        await session.flush()
        await _told(session, desk, row, events.CLOSED)
    return row


async def record_representation(
    session: AsyncSession, desk: Desk, *, business_id: UUID, wanted: RepresentationRecord
) -> Representation:
    """Raises `PeopleOnly`, `BusinessUnknown`, `BusinessClosed`, `PersonUnknown`, `FieldInvalid`,
    `RepresentationKnown`.
    """
    business = await _locked(session, desk, business_id)
    if business.state == CLOSED:
        raise BusinessClosed("Nobody acts for it any more.")
    require_period(wanted.valid_from, wanted.valid_until)
    person = await get_person(session, wanted.person_id)
    if person is None or not person.is_active(desk.now):
        raise PersonUnknown("Register the person first, or reactivate them.")
    given = wanted.model_dump() | {"matters": sorted(wanted.matters) if wanted.matters else None}
    row = Representation(id=uuid7(), business_id=business_id, recorded_at=desk.now, **given)
    await insert_once(session, row, RepresentationKnown("End the other one first."))
    await _told_of(session, desk, row, events.REPRESENTED)
    return row


async def _told_of(session: AsyncSession, desk: Desk, row: Representation, kind: str) -> None:
    until = row.valid_until
    data: dict[str, object] = {
        "representation_id": str(row.id),
        "business_id": str(row.business_id),
        "person_id": str(row.person_id),
        "capacity": row.capacity,
        "valid_from": row.valid_from.isoformat(),
        "valid_until": until.isoformat() if until is not None else None,
    }
    await tell(session, desk, kind=kind, subject=str(row.business_id), data=data)


async def end_representation(
    session: AsyncSession,
    desk: Desk,
    *,
    business_id: UUID,
    representation_id: UUID,
    ending: Ending,
) -> Representation:
    """Raises `PeopleOnly`, `RepresentationUnknown`, `FieldInvalid`."""
    require_keeper(desk.caller)
    row = await store.lock_representation(session, representation_id)
    if row is None or row.business_id != business_id:
        raise RepresentationUnknown("Look it up under /v1/businesses/{id}.")
    await _end(session, desk, row, ending)
    return row


async def lay_down(
    session: AsyncSession, desk: Desk, *, representation_id: UUID, reason: str
) -> None:
    """The representative's own end of it, now. Raises `RepresentationUnknown`."""
    row = await store.lock_representation(session, representation_id)
    if row is None or not is_self(desk.caller, row.person_id):
        raise RepresentationUnknown("Open the page of your access again.")
    await _end(session, desk, row, Ending(reason=reason))


async def _end(session: AsyncSession, desk: Desk, row: Representation, ending: Ending) -> None:
    """Once; its tokens were capped to its former end. Raises `FieldInvalid`."""
    at = max(end_of(ending, desk.now), row.valid_from)
    if row.valid_until is None or at < row.valid_until:
        row.valid_until, row.end_reason = at, ending.reason
        await session.flush()
        await revoke(session, desk.clock, kind="rep", value=row.id, reason="ended")
        await _told_of(session, desk, row, events.REPRESENTATION_ENDED)


def read_business(desk: Desk, row: Business) -> BusinessRead:
    """Raises `NoSealingKey`, `SealBroken`."""
    nib = desk.numbers.open(row.nib_sealed, _place(row.id))
    return BusinessRead(
        id=row.id,
        name=row.name,
        nib_masked=numbers.masked(nib),
        state=row.state,
        reason=row.reason,
        registered_at=row.registered_at,
    )
