"""Decisions about persons: register, find by NIK, change, deactivate.

For the other slices: `get_person`, `find_by_nik`, `register_person` and `KnownPerson.is_active`.
Does not own sign-in, nor what a person may do: see `authority`.
"""

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity import numbers
from sebalai_identity.acts.actions import note, tell
from sebalai_identity.desk import Desk
from sebalai_identity.grants.actions import end_person_tokens
from sebalai_identity.numbers import NumberInvalid
from sebalai_identity.persons import events, store
from sebalai_identity.persons.access import is_self, may_compare
from sebalai_identity.persons.access import may_manage as may_keep_people
from sebalai_identity.persons.model import ACTIVE, DEACTIVATED, Person
from sebalai_identity.persons.schema import PersonChange, PersonRead, PersonRegister
from sebalai_identity.persons.store import PersonFilter
from sebalai_identity.rows import insert_once
from sebalai_identity.sessions.actions import end as end_sessions

__all__ = [
    "ACTIVE",
    "DEACTIVATED",
    "PersonChange",
    "PersonFilter",
    "PersonRead",
    "PersonRegister",
    "is_self",
    "may_keep_people",
]

NIK = "nik"


class PersonUnknown(NotFound):
    slug, title = "person-unknown", "There is no such person, or it is not yours to see"


class PeopleOnly(Forbidden):
    slug, title = "people-only", "Only the keepers of people may do this"


class PersonKnown(Conflict):
    slug, title = "person-known", "A person with this NIK is registered already"


class NikLinked(Conflict):
    slug, title = "nik-linked", "The person has a NIK already"


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A person as other slices see one. `id` is the subject of every token about them."""

    id: UUID
    name: str
    birth_date: date | None
    assurance: int
    """Identity assurance level 1 to 3."""
    state: str
    reason: str | None
    """Of the last change of state."""
    valid_until: datetime | None

    def is_active(self, at: datetime) -> bool:
        """False once deactivated, or when a sponsored person's time is over."""
        return self.state == ACTIVE and (self.valid_until is None or at < self.valid_until)


def _known(person: Person) -> KnownPerson:
    return KnownPerson(
        id=person.id,
        name=person.name,
        birth_date=person.birth_date,
        assurance=person.assurance,
        state=person.state,
        reason=person.reason,
        valid_until=person.valid_until,
    )


async def get_person(session: AsyncSession, person_id: UUID) -> KnownPerson | None:
    """Whatever their state; ask `is_active`. For slices of identity, which decide who may."""
    person = await store.by_id(session, person_id)
    return _known(person) if person is not None else None


async def hold_person(session: AsyncSession, person_id: UUID) -> KnownPerson | None:
    """The same; whoever deactivates them now waits for the caller, and ends what it began."""
    person = await store.hold(session, person_id)
    return KnownPerson(**person) if person is not None else None


async def known_persons(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, KnownPerson]:
    """For slices of identity, which decide who may."""
    return {row.id: _known(row) for row in await store.by_ids(session, ids)} if ids else {}


async def find_by_nik(session: AsyncSession, desk: Desk, *, nik: str) -> KnownPerson | None:
    """None for a malformed and an unknown NIK alike; leaves no trace. Raises `NoSealingKey`."""
    person = await store.by_nik_index(session, desk.numbers.index(NIK, nik))
    return _known(person) if person is not None else None


async def nik_of(session: AsyncSession, desk: Desk, *, person_id: UUID) -> str | None:
    """The number itself, for a check inside identity; it must not leave it.

    Raises `NoSealingKey`, `SealBroken`.
    """
    person = await store.by_id(session, person_id)
    if person is None or person.nik_sealed is None:
        return None
    return desk.numbers.open(person.nik_sealed, nik_place(person_id))


async def register_person(
    session: AsyncSession, desk: Desk, *, wanted: PersonRegister, source: str = "desk"
) -> Person:
    """Raises `PeopleOnly`, `FieldInvalid`, `PersonKnown`, `NoSealingKey`."""
    require_keeper(desk.caller)
    return await enrol_person(session, desk, wanted=wanted, source=source)


async def enrol_person(
    session: AsyncSession, desk: Desk, *, wanted: PersonRegister, source: str
) -> Person:
    """For slices of identity, which decide who may. Raises as `register_person`."""
    if wanted.nik is None and wanted.valid_until is None:
        raise FieldInvalid("/valid_until", "A person without a NIK is sponsored until a time.")
    _require_future(wanted.valid_until, desk)
    person = _new(wanted, source, desk)
    if wanted.nik is not None:
        _keep_nik(person, wanted.nik.get_secret_value(), desk)
    await insert_once(session, person, PersonKnown("Find the person under /v1/persons/find."))
    await tell(session, desk, kind=events.REGISTERED, subject=str(person.id), data=_data(person))
    return person


def require_keeper(caller: Caller) -> None:
    """Raises `PeopleOnly`."""
    if not may_keep_people(caller):
        raise PeopleOnly("It needs scope identity.people.")


def _require_future(until: datetime | None, desk: Desk) -> None:
    if until is not None and until <= desk.now:
        raise FieldInvalid("/valid_until", "Name a time that is still to come.")


def _new(wanted: PersonRegister, source: str, desk: Desk) -> Person:
    return Person(
        id=uuid7(),
        name=wanted.name,
        birth_date=wanted.birth_date,
        assurance=wanted.assurance,
        source=source,
        state=ACTIVE,
        valid_until=wanted.valid_until,
        version=1,
        created_at=desk.now,
        changed_at=desk.now,
    )


def _keep_nik(person: Person, nik: str, desk: Desk) -> None:
    try:
        read = numbers.read_nik(nik, desk.today)
    except NumberInvalid as error:
        raise FieldInvalid("/nik", f"Not a NIK: {error.reason}.") from None
    if person.birth_date is not None and not read.is_born_on(person.birth_date):
        raise FieldInvalid("/birth_date", "The NIK tells another birth date.")
    person.birth_date = person.birth_date or read.birth_date
    person.nik_index = desk.numbers.index(NIK, nik)
    person.nik_sealed = desk.numbers.seal(nik, nik_place(person.id))
    person.nik_key = desk.numbers.key_id


def nik_place(person_id: UUID) -> str:
    return f"person.nik:{person_id}"


def _data(person: Person) -> dict[str, object]:
    return {"person_id": str(person.id), "assurance": person.assurance}


async def look_up(session: AsyncSession, desk: Desk, *, nik: str) -> Person:
    """A keeper's search by NIK; found, it is an act. Raises `PeopleOnly`, `PersonUnknown`."""
    require_keeper(desk.caller)
    person = await store.by_nik_index(session, desk.numbers.index(NIK, nik))
    if person is None:
        raise PersonUnknown("Register the person, or check the NIK.")
    await note(session, desk, act=events.LOOKED_UP, subject=str(person.id))
    return person


async def compare_nik(session: AsyncSession, desk: Desk, *, person_id: UUID, nik: str) -> bool:
    """Whether the number is this person's; an act, whatever comes of it.

    Raises `PeopleOnly`, `PersonUnknown`, `NoSealingKey`.
    """
    if not may_compare(desk.caller):
        raise PeopleOnly("It needs scope identity.compare.")
    person = await store.by_id(session, person_id)
    if person is None:
        raise PersonUnknown("It is the subject of the person's token.")
    await note(session, desk, act=events.COMPARED, subject=str(person_id))
    known = person.nik_index
    return known is not None and hmac.compare_digest(known, desk.numbers.index(NIK, nik))


async def show_person(session: AsyncSession, *, caller: Caller, person_id: UUID) -> Person:
    """Raises `PersonUnknown`."""
    person = await store.visible(session, caller, person_id)
    if person is None:
        raise PersonUnknown("Find the person under /v1/persons.")
    return person


async def list_persons(
    session: AsyncSession, *, caller: Caller, wanted: PersonFilter, after: UUID | None, limit: int
) -> Sequence[Person]:
    return await store.page(session, caller, wanted, after, limit)


async def _locked(session: AsyncSession, person_id: UUID) -> Person:
    person = await store.lock(session, person_id)
    if person is None:
        raise PersonUnknown("Find the person under /v1/persons.")
    return person


async def change_person(
    session: AsyncSession, desk: Desk, *, person_id: UUID, wanted: PersonChange
) -> Person:
    """Raises `PeopleOnly`, `PersonUnknown`, `FieldInvalid`."""
    require_keeper(desk.caller)
    return await amend_person(session, desk, person_id=person_id, wanted=wanted)


async def amend_person(
    session: AsyncSession, desk: Desk, *, person_id: UUID, wanted: PersonChange
) -> Person:
    """For slices of identity, which decide who may. Raises `PersonUnknown`, `FieldInvalid`."""
    _require_future(wanted.valid_until, desk)
    person = await _locked(session, person_id)
    given: Mapping[str, Any] = wanted.model_dump(exclude_unset=True)
    for name in ("name", "assurance"):
        if name in given and given[name] is None:
            raise FieldInvalid(f"/{name}", "It may change; it may not be empty.")
    if given.get("valid_until", person.valid_until) is None and person.nik_index is None:
        raise FieldInvalid("/valid_until", "A person without a NIK is sponsored until a time.")
    fields = sorted(name for name, value in given.items() if getattr(person, name) != value)
    if fields:
        for name in fields:
            setattr(person, name, given[name])
        await _told(session, desk, person, events.CHANGED, {"fields": fields})
    return person


async def link_nik(session: AsyncSession, desk: Desk, *, person_id: UUID, nik: str) -> Person:
    """Gives a person who was registered without one their NIK; then they may stay for good.

    Raises `PeopleOnly`, `PersonUnknown`, `NikLinked`, `FieldInvalid`, `PersonKnown`.
    """
    require_keeper(desk.caller)
    person = await _locked(session, person_id)
    if person.nik_index is not None:
        raise NikLinked("A person keeps their NIK; register another person for another.")
    _keep_nik(person, nik, desk)
    await insert_once(session, person, PersonKnown("Find the person under /v1/persons/find."))
    await _told(session, desk, person, events.CHANGED, {"fields": ["nik"]})
    return person


async def deactivate_person(
    session: AsyncSession, desk: Desk, *, person_id: UUID, reason: str
) -> Person:
    """From now on no sign-in and no authority; sessions and tokens end.

    Raises `PeopleOnly`, `PersonUnknown`.
    """
    require_keeper(desk.caller)
    return await switch_person(session, desk, person_id=person_id, state=DEACTIVATED, reason=reason)


async def reactivate_person(
    session: AsyncSession, desk: Desk, *, person_id: UUID, reason: str
) -> Person:
    """Raises `PeopleOnly`, `PersonUnknown`."""
    require_keeper(desk.caller)
    return await switch_person(session, desk, person_id=person_id, state=ACTIVE, reason=reason)


async def switch_person(
    session: AsyncSession, desk: Desk, *, person_id: UUID, state: str, reason: str
) -> Person:
    """For slices of identity, which decide who may. Raises `PersonUnknown`.

    Whoever deactivates somebody again gives the reason that stands: it says whose decision it is.
    """
    person = await _locked(session, person_id)
    if person.state == state:
        if state == DEACTIVATED and person.reason != reason:
            person.reason = reason
            await _told(session, desk, person, events.CHANGED, {"fields": ["reason"]})
        return person
    person.state, person.reason = state, reason
    if state == DEACTIVATED:
        await end_sessions(
            session, desk.clock, subject=person.id, session_ids=None, reason="administration"
        )
        await end_person_tokens(session, desk.clock, person_id=person.id, reason=DEACTIVATED)
    kind = events.DEACTIVATED if state == DEACTIVATED else events.REACTIVATED
    await _told(session, desk, person, kind, {})
    return person


async def _told(
    session: AsyncSession, desk: Desk, person: Person, kind: str, more: dict[str, object]
) -> None:
    person.version += 1
    person.changed_at = desk.now
    await session.flush()
    await tell(session, desk, kind=kind, subject=str(person.id), data=_data(person) | more)


def read_person(desk: Desk, person: Person) -> PersonRead:
    """Raises `NoSealingKey`, `SealBroken`."""
    masked = None
    if person.nik_sealed is not None:
        masked = numbers.masked(desk.numbers.open(person.nik_sealed, nik_place(person.id)))
    read = {name: getattr(person, name) for name in PersonRead.model_fields if name != "nik_masked"}
    return PersonRead(nik_masked=masked, **read)
