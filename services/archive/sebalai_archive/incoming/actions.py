"""Decisions about incoming letters: arrive over the bus, register, find."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content_store import Stored
from sebalai_archive.incoming import access, store
from sebalai_archive.incoming.model import IncomingLetter
from sebalai_archive.incoming.schema import IncomingCreate
from sebalai_archive.numbering import actions as numbering
from sebalai_archive.records import actions as records
from sebalai_archive.retention.actions import civil_date

AGENDA = "agenda-masuk"


class IncomingUnknown(NotFound):
    slug, title = "incoming-letter-unknown", "There is no such letter, or it is not yours to see"


class NotTheOffice(Forbidden):
    slug, title = "agenda-not-yours", "The agenda is kept by the agency's own office"


class AlreadyRegistered(Conflict):
    slug, title = "letter-registered", "The letter stands in the agenda already"


@dataclass(frozen=True, slots=True)
class Dispatched:
    """A letter another agency of the province has sent, as it arrives here."""

    outgoing_id: UUID
    sender: str
    letter_number: str
    letter_date: date
    subject: str
    security_class: str
    urgency: str
    content: Stored


async def arrive(
    session: AsyncSession, clock: Clock, *, agency: str, letter: Dispatched
) -> IncomingLetter:
    """In the transaction of the sender: sent and arrived are one fact."""
    arrived = IncomingLetter(
        id=uuid7(),
        agency=agency,
        sender=letter.sender,
        letter_number=letter.letter_number,
        letter_date=letter.letter_date,
        subject=letter.subject,
        security_class=letter.security_class,
        urgency=letter.urgency,
        channel="bus",
        outgoing_id=letter.outgoing_id,
        content_sha256=letter.content.sha256,
        content_bytes=letter.content.size,
        arrived_at=clock.now(),
    )
    session.add(arrived)
    await session.flush()
    return arrived


async def register_letter(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: IncomingCreate
) -> IncomingLetter:
    """A letter by paper or mail, with its scan. Raises `NotTheOffice`, `FieldInvalid`,
    `RecordUnknown`.
    """
    _require_office(caller)
    record = await records.find_record(session, clock, caller=caller, record_id=wanted.record_id)
    if record.agency != caller.agency or record.content_sha256 is None:
        raise FieldInvalid("/record_id", "Name a record of your agency that holds the scan.")
    now = clock.now()
    letter = IncomingLetter(
        id=uuid7(),
        agency=caller.agency,
        content_sha256=record.content_sha256,
        content_bytes=record.content_bytes,
        arrived_at=now,
        **wanted.model_dump(exclude={"addressed_to"}),
    )
    session.add(letter)
    await session.flush()
    return await _enter(session, clock, caller, letter, wanted.addressed_to)


async def register_arrived(
    session: AsyncSession, clock: Clock, *, caller: Caller, letter_id: UUID, addressed_to: str
) -> IncomingLetter:
    """Raises `IncomingUnknown`, `NotTheOffice`, `AlreadyRegistered`."""
    letter = await store.lock(session, caller, letter_id)
    if letter is None:
        raise IncomingUnknown("Look it up under /v1/incoming-letters.")
    _require_office(caller)
    if letter.registered_at is not None:
        raise AlreadyRegistered(f"Its agenda number is {letter.agenda}.")
    return await _enter(session, clock, caller, letter, addressed_to)


def _require_office(caller: Caller) -> None:
    if not access.may_register(caller):
        raise NotTheOffice(
            f"Call as the office's application with {access.WRITE}, or with {access.REGISTER}."
        )


async def _enter(
    session: AsyncSession, clock: Clock, caller: Caller, letter: IncomingLetter, addressed_to: str
) -> IncomingLetter:
    year = civil_date(clock.now()).year
    letter.agenda = await numbering.take_agenda(
        session, clock, caller=caller, book=AGENDA, year=year, letter_id=letter.id
    )
    letter.addressed_to, letter.registered_at = addressed_to, clock.now()
    letter.registered_by = str(caller.subject)
    await session.flush()
    return letter


async def list_letters(
    session: AsyncSession, *, caller: Caller, after: UUID | None, limit: int
) -> Sequence[IncomingLetter]:
    return await store.page(session, caller, after, limit)


async def find_letter(session: AsyncSession, *, caller: Caller, letter_id: UUID) -> IncomingLetter:
    """Raises `IncomingUnknown`, also for a colleague without a live disposition."""
    letter = await store.find(session, caller, letter_id)
    if letter is None:
        raise IncomingUnknown("Look it up under /v1/incoming-letters.")
    return letter
