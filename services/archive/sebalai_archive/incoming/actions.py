"""Decisions about incoming letters: arrive over the bus, register, find."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content_store import Stored
from sebalai_archive.incoming import access, events, store
from sebalai_archive.incoming.model import Disposition, IncomingLetter
from sebalai_archive.incoming.schema import IncomingCreate
from sebalai_archive.incoming.store import Seat, Seen
from sebalai_archive.numbering import actions as numbering
from sebalai_archive.paging import PageAsk
from sebalai_archive.reader import CLASSES, SecurityClass
from sebalai_archive.records import actions as records
from sebalai_archive.records.actions import opening
from sebalai_archive.retention.actions import civil_date
from sebalai_archive.standing import actions as standing

AGENDA = "agenda-masuk"


class IncomingUnknown(NotFound):
    slug, title = "incoming-letter-unknown", "There is no such letter, or it is not yours to see"


class NotTheOffice(Forbidden):
    slug, title = "agenda-not-yours", "The agenda is kept by the agency's own office"


class AlreadyRegistered(Conflict):
    slug, title = "letter-registered", "The letter stands in the agenda already"


@dataclass(frozen=True, slots=True)
class Dispatched:
    """A letter another agency of the province has sent, as it arrives here; without `outgoing_id`
    one that came by the national application.
    """

    outgoing_id: UUID | None
    sender: str
    letter_number: str
    letter_date: date
    subject: str
    security_class: SecurityClass
    urgency: str
    content: Stored


async def arrive(
    session: AsyncSession, clock: Clock, *, agency: str, letter: Dispatched
) -> IncomingLetter:
    """For a letter of the province in its sender's transaction: sent and arrived are one fact."""
    arrived = IncomingLetter(
        id=uuid7(),
        agency=agency,
        sender=letter.sender,
        letter_number=letter.letter_number,
        letter_date=letter.letter_date,
        subject=letter.subject,
        security_class=letter.security_class,
        urgency=letter.urgency,
        channel="bus" if letter.outgoing_id else "srikandi",
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
) -> Seen:
    """A letter by paper or mail, with its scan. Raises `NotTheOffice`, `FieldInvalid`,
    `RecordUnknown`, and as `opening.open_record` when the scan is not the caller's to open.
    """
    _require_office(caller)
    record = await opening.open_record(
        session, clock, caller=caller, record_id=wanted.record_id, what="registration"
    )
    if record.agency != caller.agency or record.content_sha256 is None:
        raise FieldInvalid("/record_id", "Name a record of your agency that holds the scan.")
    letter = IncomingLetter(
        id=uuid7(),
        agency=caller.agency,
        content_sha256=record.content_sha256,
        content_bytes=record.content_bytes,
        arrived_at=clock.now(),
        security_class=_class_of(wanted, record),
        **wanted.model_dump(exclude={"addressed_to", "security_class"}),
    )
    session.add(letter)
    await session.flush()
    return await _enter(session, clock, caller, letter, wanted.addressed_to)


def _class_of(wanted: IncomingCreate, record: records.Record) -> SecurityClass:
    """The letter's own, never below that of its scan: else the letter would open the record."""
    chosen = wanted.security_class or record.security_class
    if CLASSES.index(chosen) < CLASSES.index(record.security_class):
        raise FieldInvalid("/security_class", f"Its scan is {record.security_class}.")
    return chosen


async def register_arrived(
    session: AsyncSession, clock: Clock, *, caller: Caller, letter_id: UUID, addressed_to: str
) -> Seen:
    """Raises `IncomingUnknown`, `NotTheOffice`, `AlreadyRegistered`."""
    letter = await own_letter(session, clock, caller=caller, letter_id=letter_id)
    if letter.registered_at is not None:
        raise AlreadyRegistered(f"Its agenda number is {letter.agenda}.")
    return await _enter(session, clock, caller, letter, addressed_to)


async def own_letter(
    session: AsyncSession, clock: Clock, *, caller: Caller, letter_id: UUID
) -> IncomingLetter:
    """A letter that the office keeps, held until the transaction ends.

    Raises `IncomingUnknown`, `NotTheOffice`.
    """
    letter = await store.lock(session, await seat_of(session, clock, caller), letter_id)
    if letter is None:
        raise IncomingUnknown("Look it up under /v1/incoming-letters.")
    _require_office(caller)
    return letter


def _require_office(caller: Caller) -> None:
    if not access.may_register(caller):
        raise NotTheOffice(f"Call as the agency's office, with {access.WRITE}.")


async def _enter(
    session: AsyncSession, clock: Clock, caller: Caller, letter: IncomingLetter, addressed_to: str
) -> Seen:
    year = civil_date(clock.now()).year
    letter.agenda = await numbering.take_agenda(
        session, clock, caller=caller, book=AGENDA, year=year, letter_id=letter.id
    )
    letter.addressed_to, letter.registered_at = addressed_to, clock.now()
    letter.registered_by = str(caller.subject)
    await session.flush()
    # The name of a sender outside the province stays here; an agency is named by its slug.
    sender = letter.sender if letter.channel == "bus" else None
    fact = events.LetterRegistered(
        letter_id=letter.id, agency=letter.agency, sender=sender, outgoing_id=letter.outgoing_id
    )
    await publish(session, events.registered(fact, clock.now()))
    return await find_letter(session, clock, caller=caller, letter_id=letter.id)


async def seat_of(session: AsyncSession, clock: Clock, caller: Caller) -> Seat:
    return Seat(caller, await standing.reader_of(session, clock.now(), caller))


async def list_letters(
    session: AsyncSession, clock: Clock, *, caller: Caller, page: PageAsk
) -> Sequence[Seen]:
    return await store.page(session, await seat_of(session, clock, caller), page)


async def find_letter(
    session: AsyncSession, clock: Clock, *, caller: Caller, letter_id: UUID
) -> Seen:
    """Raises `IncomingUnknown`, also for a colleague without a live disposition."""
    seen = await store.find(session, await seat_of(session, clock, caller), letter_id)
    if seen is None:
        raise IncomingUnknown("Look it up under /v1/incoming-letters.")
    return seen


async def open_letter(
    session: AsyncSession, clock: Clock, *, caller: Caller, letter_id: UUID
) -> IncomingLetter:
    """The letter for reading its content: logged above class biasa, and from then on the reader's
    disposition is read, so that nobody recalls it.

    Raises `IncomingUnknown`, `ContentClosed`, `ContentDestroyed`, `ContentInfected`.
    """
    seat = await seat_of(session, clock, caller)
    seen = await find_letter(session, clock, caller=caller, letter_id=letter_id)
    letter = seen.letter
    if not seen.is_open:
        raise opening.ContentClosed("It opens to the one it is for, or by a disposition.")
    await opening.require_sound(
        session, record_id=letter.record_id, sha256=letter.content_sha256 or ""
    )
    log = (letter.record_id or letter.id, letter.security_class, "letter", "incoming letter")
    await opening.note_opening(session, reader=seat.reader, log=log)
    for read in await store.mark_read(session, letter.id, seat.reader.subject, clock.now()):
        await tell_moved(session, clock, read)
    return letter


async def tell_moved(session: AsyncSession, clock: Clock, moved: Disposition) -> None:
    """The fact that a disposition was sent or has moved on."""
    fact = events.DispositionMoved(
        disposition_id=moved.id, letter_id=moved.letter_id, agency=moved.agency, state=moved.state
    )
    await publish(session, events.moved(fact, clock.now()))
