"""Decisions about filing (pemberkasan): a registered letter that came over the bus or by the
national application becomes a record of its agency, with a retention like one of its own hand.

A letter by paper needs none of it: its scan is a record from the beginning.
"""

from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.problems import Conflict, FieldInvalid
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content_store import Stored
from sebalai_archive.incoming import actions
from sebalai_archive.incoming.model import IncomingLetter
from sebalai_archive.incoming.schema import IncomingFile
from sebalai_archive.incoming.store import Seen
from sebalai_archive.reader import CLASSES, SecurityClass
from sebalai_archive.records import actions as records
from sebalai_archive.records.actions import keeping, opening


class NotRegistered(Conflict):
    slug, title = "letter-not-registered", "The letter has no agenda number yet"


class LetterFiled(Conflict):
    slug, title = "letter-filed", "The letter is a record already"


async def file_letter(
    session: AsyncSession, clock: Clock, *, caller: Caller, letter_id: UUID, wanted: IncomingFile
) -> Seen:
    """Declares the letter in a file unit. Its filer opens it no more than before; who it is for
    has a need to know it.

    Raises `IncomingUnknown`, `NotTheOffice`, `NotRegistered`, `LetterFiled`, `FileUnitUnknown`,
    `ContentInfected`, `FieldInvalid`.
    """
    letter = await actions.own_letter(session, clock, caller=caller, letter_id=letter_id)
    if letter.registered_at is None:
        raise NotRegistered("Register it first.")
    if letter.record_id is not None:
        raise LetterFiled(f"It is /v1/records/{letter.record_id}.")
    content = _content(letter)
    await opening.require_sound(session, record_id=None, sha256=content.sha256)
    unit = await keeping.find_file_unit(session, caller=caller, file_id=wanted.file_unit)
    letter.security_class = _class_of(wanted, letter)
    facts = _facts(letter) | {
        "file_unit": unit.id,
        "classification": wanted.classification or unit.classification_code,
        "protection": wanted.protection,
    }
    record = await records.declare_issued(
        session, clock, caller=caller, facts=facts, stored=content, maker=""
    )
    reason = f"surat masuk {letter.agenda}"
    await keeping.name_addressee(
        session, clock, caller=caller, record=record, subject=letter.addressed_to or "",
        reason=reason,
    )  # fmt: skip
    letter.record_id = record.id
    await session.flush()
    return await actions.find_letter(session, clock, caller=caller, letter_id=letter_id)


def _class_of(wanted: IncomingFile, letter: IncomingLetter) -> SecurityClass:
    chosen = wanted.security_class or letter.security_class
    if CLASSES.index(chosen) < CLASSES.index(letter.security_class):
        raise FieldInvalid("/security_class", f"The letter is {letter.security_class}.")
    return chosen


def _facts(letter: IncomingLetter) -> dict[str, object]:
    return {
        "title": letter.subject,
        "description": f"Surat masuk {letter.agenda} dari {letter.sender}",
        "security_class": letter.security_class,
        "number": letter.letter_number,
        "dated": letter.letter_date,
        "filename": f"{letter.id}.pdf",
    }


def _content(letter: IncomingLetter) -> Stored:
    if letter.content_sha256 is None or letter.content_bytes is None:
        raise RuntimeError(f"letter {letter.id} arrived without content")
    return Stored(letter.content_sha256, letter.content_bytes)
