"""Decisions about civil servants: enlist a person with a NIP, find, discharge.

The NIP must tell the NIK's birth date and sex (UU 20/2023: one civil servant, one number).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.problems import Conflict, FieldInvalid, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity import numbers
from sebalai_identity.acts.actions import note, tell
from sebalai_identity.agencies.actions import require_in_force
from sebalai_identity.civil_servants import events, store
from sebalai_identity.civil_servants.model import CivilServant
from sebalai_identity.civil_servants.schema import CivilServantEnlist, CivilServantRead
from sebalai_identity.desk import Desk
from sebalai_identity.numbers import NumberInvalid
from sebalai_identity.persons.actions import (
    PersonUnknown,
    get_person,
    is_self,
    may_keep_people,
    nik_of,
    require_keeper,
)
from sebalai_identity.rows import insert_once
from sebalai_identity.wording import Ending, end_of, require_period

__all__ = ["CivilServantEnlist", "CivilServantRead"]

NIP = "nip"


class CivilServantUnknown(NotFound):
    slug, title = "civil-servant-unknown", "There is no such civil servant, or it is not yours"


class CivilServantKnown(Conflict):
    slug, title = "civil-servant-known", "The person, or another with this NIP, is enlisted already"


@dataclass(frozen=True, slots=True)
class KnownCivilServant:
    person_id: UUID
    agency: str
    employment: str
    grade: str | None
    valid_from: datetime
    valid_until: datetime | None


async def get_civil_servant(session: AsyncSession, person_id: UUID) -> KnownCivilServant | None:
    """For slices of identity, which decide who may."""
    return (await known_civil_servants(session, [person_id])).get(person_id)


async def known_civil_servants(
    session: AsyncSession, ids: Collection[UUID]
) -> dict[UUID, KnownCivilServant]:
    """For slices of identity, which decide who may."""
    names = KnownCivilServant.__dataclass_fields__
    return {
        row.person_id: KnownCivilServant(**{name: getattr(row, name) for name in names})
        for row in await store.by_people(session, ids)
    }


async def enlist(session: AsyncSession, desk: Desk, *, wanted: CivilServantEnlist) -> CivilServant:
    """Raises `PeopleOnly`, `PersonUnknown`, `AgencyUnknown`, `FieldInvalid` or
    `CivilServantKnown`.
    """
    require_keeper(desk.caller)
    person = await get_person(session, wanted.person_id)
    if person is None or not person.is_active(desk.now):
        raise PersonUnknown("Register the person first, or reactivate them.")
    await require_in_force(session, slug=wanted.agency, on=desk.today)
    require_period(wanted.valid_from, wanted.valid_until)
    nip = wanted.nip.get_secret_value()
    try:
        read = numbers.read_nip(nip, desk.today)
        nik = await nik_of(session, desk, person_id=wanted.person_id)
        if nik is not None:
            numbers.require_same_person(nik, nip, desk.today)
    except NumberInvalid as error:
        raise FieldInvalid("/nip", f"Not this person's NIP: {error.reason}.") from None
    if wanted.grade is not None and ("/" in wanted.grade) != (read.variant == numbers.PNS):
        raise FieldInvalid("/grade", "A PNS has a rank such as III/a, a PPPK a group such as IX.")
    row = _new(wanted, nip, read.variant, desk)
    await insert_once(session, row, CivilServantKnown("Find them under /v1/civil-servants/find."))
    data = _data(row)
    await tell(session, desk, kind=events.ENLISTED, subject=str(row.person_id), data=data)
    return row


def _new(wanted: CivilServantEnlist, nip: str, employment: str, desk: Desk) -> CivilServant:
    return CivilServant(
        person_id=wanted.person_id,
        nip_sealed=desk.numbers.seal(nip, _place(wanted.person_id)),
        nip_index=desk.numbers.index(NIP, nip),
        nip_key=desk.numbers.key_id,
        employment=employment,
        grade=wanted.grade,
        agency=wanted.agency,
        valid_from=wanted.valid_from,
        valid_until=wanted.valid_until,
        changed_at=desk.now,
    )


def _place(person_id: UUID) -> str:
    return f"civil_servant.nip:{person_id}"


def _data(row: CivilServant) -> dict[str, object]:
    return {
        "person_id": str(row.person_id),
        "agency": row.agency,
        "employment": row.employment,
    }


async def look_up(session: AsyncSession, desk: Desk, *, nip: str) -> CivilServant:
    """A keeper's search; found, it is an act. Raises `PeopleOnly`, `CivilServantUnknown`."""
    require_keeper(desk.caller)
    row = await store.by_nip_index(session, desk.numbers.index(NIP, nip))
    if row is None:
        raise CivilServantUnknown("Enlist the person, or check the NIP.")
    await note(session, desk, act=events.LOOKED_UP, subject=str(row.person_id))
    return row


async def show(session: AsyncSession, *, caller: Caller, person_id: UUID) -> CivilServant:
    """Keepers, and everybody themselves. Raises `CivilServantUnknown`."""
    row = await store.by_person(session, person_id)
    if row is None or not (may_keep_people(caller) or is_self(caller, person_id)):
        raise CivilServantUnknown("Find them under /v1/civil-servants/find.")
    return row


async def discharge(
    session: AsyncSession, desk: Desk, *, person_id: UUID, ending: Ending
) -> CivilServant:
    """The service ends; the person stays. Raises `PeopleOnly`, `CivilServantUnknown`,
    `FieldInvalid`. Their postings are `reorganisations`' matter.
    """
    require_keeper(desk.caller)
    row = await store.lock(session, person_id)
    if row is None:
        raise CivilServantUnknown("Find them under /v1/civil-servants/find.")
    at = max(end_of(ending, desk.now), row.valid_from)
    if row.valid_until is None or at < row.valid_until:
        row.valid_until, row.changed_at, row.end_reason = at, desk.now, ending.reason
        await session.flush()
        data = _data(row)
        await tell(session, desk, kind=events.DISCHARGED, subject=str(person_id), data=data)
    return row


def read_civil_servant(desk: Desk, row: CivilServant) -> CivilServantRead:
    """Raises `NoSealingKey`, `SealBroken`."""
    nip = desk.numbers.open(row.nip_sealed, _place(row.person_id))
    kept = {
        name: getattr(row, name) for name in CivilServantRead.model_fields if name[:4] != "nip_"
    }
    return CivilServantRead(nip_masked=numbers.masked(nip), **kept)
