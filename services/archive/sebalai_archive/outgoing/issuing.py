"""The way of a verified letter to the world: number, signature, record, sending.

Three short transactions, because a remote signature takes seconds and no lock may wait for it. A
crash between them leaves a numbered letter; signing again goes on with the same number, date and
code, and the number is only issued together with the record.
"""

import secrets
from dataclasses import dataclass
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sebalai_shared.outbox import publish
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content_store import ContentStore, Stored
from sebalai_archive.incoming import actions as incoming
from sebalai_archive.numbering import actions as numbering
from sebalai_archive.numbering.actions import NumberParts
from sebalai_archive.outgoing import access, actions, events
from sebalai_archive.outgoing.actions import NotYourAct
from sebalai_archive.outgoing.model import OutgoingLetter
from sebalai_archive.outgoing.states import NUMBERED
from sebalai_archive.records import actions as records
from sebalai_archive.rendering.letters import Letter, Signatory, render, written_date
from sebalai_archive.retention.actions import civil_date
from sebalai_archive.signatures import actions as signatures
from sebalai_archive.signing.signer import Intent, Signed, Signer, Unlock

CODE_BYTES = 15  # 120 bits: nobody guesses the code of a letter he does not hold
VERIFICATIONS = "/verifikasi/"  # the page of the portal, for whoever scans the code
SECURITY = {"biasa": "B", "terbatas": "T", "rahasia": "R", "sangat_rahasia": "SR"}
URGENCY = {"biasa": "Biasa", "segera": "Segera", "sangat_segera": "Sangat Segera"}
ON_BEHALF = {"plt": "Plt. ", "plh": "Plh. ", "an": "a.n. ", "ub": "u.b. "}
REASON = "Menandatangani naskah dinas"


@dataclass(frozen=True, slots=True)
class Desk:
    """What issuing needs besides the letter."""

    database: Database
    clock: Clock
    content: ContentStore
    signer: Signer
    public_url: str


async def sign_letter(
    desk: Desk, *, caller: Caller, letter_id: UUID, unlock: Unlock | None = None
) -> OutgoingLetter:
    """Number, PDF/A, signature, record. Asking again after a crash or a refusal goes on.

    Raises: LetterUnknown, NotYourAct, LetterElsewhere, TemplateMissing, and those of `Signer.sign`.
    """
    async with desk.database.transaction() as session:
        letter = await _number(session, desk, caller, letter_id)
    signed = await _signed(desk, letter, unlock)
    stored = await desk.content.put_whole(signed.pdf, letter.security_class)
    async with desk.database.transaction() as session:
        return await _issue(session, desk, caller, letter_id, stored, signed)


async def _number(
    session: AsyncSession, desk: Desk, caller: Caller, letter_id: UUID
) -> OutgoingLetter:
    letter = await actions.locked(session, desk.clock, caller, letter_id)
    if not access.is_signer(caller, letter):
        raise NotYourAct("Only the signer it names signs a letter.")
    if letter.state == NUMBERED:
        return letter
    actions.require_next(letter, "number")
    day = civil_date(desk.clock.now())
    security = SECURITY[letter.security_class]
    parts = NumberParts(letter.classification_code, 0, letter.unit, security, day)
    _, text = await numbering.take_number(
        session, desk.clock, caller=caller, letter_id=letter.id,
        letter_type=letter.letter_type, parts=parts,
    )  # fmt: skip
    letter.letter_date, letter.number_text = day, text
    letter.verification_code = secrets.token_urlsafe(CODE_BYTES)
    await actions.write_act(session, desk.clock, caller=caller, letter=letter, act="number")
    return letter


async def _signed(desk: Desk, letter: OutgoingLetter, unlock: Unlock | None) -> Signed:
    position = position_of(letter)
    pdf = await render(_paper(desk, letter, position), desk.clock.now())
    return await desk.signer.sign(
        pdf, Intent(letter.signer["name"], position, REASON, letter.place), unlock
    )


def position_of(letter: OutgoingLetter) -> str:
    """As it stands on the paper: `Plt. Kepala Dinas Sosial`."""
    return ON_BEHALF.get(letter.signer.get("on_behalf") or "", "") + str(letter.signer["position"])


def _paper(desk: Desk, letter: OutgoingLetter, position: str) -> Letter:
    if letter.letter_date is None or letter.number_text is None or not letter.verification_code:
        raise RuntimeError(f"letter {letter.id} has no number yet")
    code = letter.verification_code
    return Letter(
        agency_name=letter.agency.replace("-", " "),
        place=letter.place,
        date=written_date(letter.letter_date),
        number=letter.number_text,
        urgency=URGENCY[letter.urgency],
        subject=letter.subject,
        addressees=[one["name"] for one in letter.addressees],
        paragraphs=letter.paragraphs,
        copies=letter.copies,
        signer=Signatory(letter.signer["name"], position),
        code=code,
        address=desk.public_url + VERIFICATIONS + code,
    )


async def _issue(
    session: AsyncSession,
    desk: Desk,
    caller: Caller,
    letter_id: UUID,
    stored: Stored,
    signed: Signed,
) -> OutgoingLetter:
    """Raises `LetterElsewhere` when the same letter was signed or cancelled meanwhile."""
    letter = await actions.locked(session, desk.clock, caller, letter_id)
    actions.require_next(letter, "sign")
    text = letter.number_text or ""
    await numbering.issue_number(session, desk.clock, caller=caller, letter_id=letter.id, text=text)
    facts = {
        "title": letter.subject,
        "classification": letter.classification_code,
        "security_class": letter.security_class,
        "number": text,
        "dated": letter.letter_date,
        "filename": f"{letter.id}.pdf",
    }
    record = await records.declare_issued(
        session, desk.clock, caller=caller, facts=facts, stored=stored
    )
    letter.record_id, letter.event_id = record.id, record.event_id
    letter.content_sha256, letter.content_bytes = stored.sha256, stored.size
    letter.certificate_serial = signed.serial
    await actions.write_act(session, desk.clock, caller=caller, letter=letter, act="sign")
    await signatures.take_up(
        session, desk.clock, record_id=record.id, agency=letter.agency, signed=signed, stored=stored
    )
    return letter


async def send_letter(
    session: AsyncSession, clock: Clock, *, caller: Caller, letter_id: UUID
) -> OutgoingLetter:
    """To the province's agencies over the bus; others get it by the channel they always had.

    Raises `LetterUnknown`, `NotYourAct`, `LetterElsewhere`.
    """
    letter = await actions.locked(session, clock, caller, letter_id)
    if not (access.is_drafter(caller, letter) or access.is_signer(caller, letter)):
        raise NotYourAct("Its drafter or its signer sends a letter.")
    await actions.write_act(session, clock, caller=caller, letter=letter, act="send")
    to = sorted({one["agency"] for one in letter.addressees if one.get("agency")})
    record_id, content = _issued(letter)
    for agency in to:
        await incoming.arrive(session, clock, agency=agency, letter=_dispatched(letter, content))
    fact = events.LetterDispatched(
        letter_id=letter.id, record_id=record_id, agency=letter.agency, to=to
    )
    await publish(session, events.dispatched(clock, fact))
    return letter


def _issued(letter: OutgoingLetter) -> tuple[UUID, Stored]:
    if letter.record_id is None or letter.content_sha256 is None or letter.content_bytes is None:
        raise RuntimeError(f"letter {letter.id} was sent without a record")
    return letter.record_id, Stored(letter.content_sha256, letter.content_bytes)


def _dispatched(letter: OutgoingLetter, content: Stored) -> incoming.Dispatched:
    if letter.letter_date is None or letter.number_text is None:
        raise RuntimeError(f"letter {letter.id} was sent without a number")
    return incoming.Dispatched(
        outgoing_id=letter.id,
        sender=letter.agency,
        letter_number=letter.number_text,
        letter_date=letter.letter_date,
        subject=letter.subject,
        security_class=letter.security_class,
        urgency=letter.urgency,
        content=content,
    )
