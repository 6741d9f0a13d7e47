"""Decisions about outgoing letters up to their number; signing and sending are in `issuing`."""

from collections.abc import Sequence
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.classifications import actions as classifications
from sebalai_archive.content_store import Stored
from sebalai_archive.letters import actions as letter_types
from sebalai_archive.numbering import actions as numbering
from sebalai_archive.outgoing import access, store
from sebalai_archive.outgoing.model import OutgoingAct, OutgoingLetter
from sebalai_archive.outgoing.schema import LetterDraft
from sebalai_archive.outgoing.states import DRAFT, NUMBERED, Act, after
from sebalai_archive.paging import PageAsk
from sebalai_archive.records.actions import ending
from sebalai_archive.signatures import actions as signatures
from sebalai_archive.standing import actions as standing


class LetterUnknown(NotFound):
    slug, title = "letter-unknown", "There is no such letter, or it is not yours to see"


class NotYourAct(Forbidden):
    slug, title = "letter-not-your-act", "This step of the letter belongs to somebody else"


class LetterElsewhere(Conflict):
    slug, title = "letter-state", "The letter is not at that step"


async def draft_letter(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: LetterDraft
) -> OutgoingLetter:
    """Raises `NotYourAct`, `FieldInvalid`."""
    if not access.may_draft(caller):
        raise NotYourAct(f"Ask the operator for scope {access.WRITE} for this application.")
    await _require_known(session, caller, wanted)
    letter = OutgoingLetter(
        id=uuid7(),
        agency=caller.agency,
        classification_code=wanted.classification,
        drafter=str(caller.subject),
        state=DRAFT,
        verified=0,
        created_at=clock.now(),
        **wanted.model_dump(mode="json", exclude={"classification"}),
    )
    session.add(letter)
    await session.flush()
    return letter


async def change_letter(
    session: AsyncSession, clock: Clock, *, caller: Caller, letter_id: UUID, wanted: LetterDraft
) -> OutgoingLetter:
    """Raises `LetterUnknown`, `NotYourAct`, `LetterElsewhere`, `FieldInvalid`."""
    letter = await locked(session, clock, caller, letter_id)
    if not access.is_drafter(caller, letter):
        raise NotYourAct("Only its drafter changes a letter.")
    if letter.state != DRAFT:
        raise LetterElsewhere(f"It is {letter.state}; a verifier or the signer may return it.")
    await _require_known(session, caller, wanted)
    for name, value in wanted.model_dump(mode="json", exclude={"classification"}).items():
        setattr(letter, name, value)
    letter.classification_code = wanted.classification
    await session.flush()
    return letter


async def _require_known(session: AsyncSession, caller: Caller, wanted: LetterDraft) -> None:
    if not await letter_types.is_known(session, caller=caller, code=wanted.letter_type):
        raise FieldInvalid("/letter_type", "Take a code that /v1/letter-types lists.")
    if not await classifications.is_known(session, caller=caller, code=wanted.classification):
        raise FieldInvalid("/classification", "Take a code that /v1/classifications lists.")
    drafter, signer = str(caller.subject), wanted.signer.subject
    if field := access.one_person_twice(drafter, wanted.verifiers, signer):
        raise FieldInvalid(field, "Drafter, verifiers and signer are different persons.")


async def locked(
    session: AsyncSession, clock: Clock, caller: Caller, letter_id: UUID
) -> OutgoingLetter:
    """The letter, held until the transaction ends. Raises `LetterUnknown`."""
    reader = await standing.reader_of(session, clock.now(), caller)
    letter = await store.lock(session, reader, letter_id)
    if letter is None:
        raise LetterUnknown("Look it up under /v1/outgoing-letters.")
    return letter


def require_next(letter: OutgoingLetter, act: Act) -> None:
    """Raises `LetterElsewhere`."""
    if after(letter.state, act) is None:
        raise LetterElsewhere(f"It is {letter.state}; `{act}` does not follow from that.")


async def write_act(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    letter: OutgoingLetter,
    act: Act,
    note: str | None = None,
) -> None:
    """Says what was done and moves the letter on; a paraf that is not the last moves nothing.

    Raises `LetterElsewhere`.
    """
    state = after(letter.state, act)
    if state is None:
        raise LetterElsewhere(f"It is {letter.state}; `{act}` does not follow from that.")
    with session.no_autoflush:  # the letter's columns and its state change in one statement
        place = await store.next_place(session, letter.id)
    done = {"letter_id": letter.id, "place": place, "act": act, "actor": str(caller.subject)}
    session.add(OutgoingAct(**done, note=note, at=clock.now()))
    if act != "verify" or letter.verified == len(letter.verifiers):
        letter.state = state
    await session.flush()


async def submit_letter(
    session: AsyncSession, clock: Clock, *, caller: Caller, letter_id: UUID
) -> OutgoingLetter:
    """To its verifiers; without any it is verified at once. Raises as `change_letter`."""
    letter = await locked(session, clock, caller, letter_id)
    if not access.is_drafter(caller, letter):
        raise NotYourAct("Only its drafter submits a letter.")
    await write_act(session, clock, caller=caller, letter=letter, act="submit")
    if not letter.verifiers:
        letter.state = after(letter.state, "verify") or letter.state
    await session.flush()
    return letter


async def verify_letter(
    session: AsyncSession, clock: Clock, *, caller: Caller, letter_id: UUID
) -> OutgoingLetter:
    """One paraf, in the order of the list. Raises `LetterUnknown`, `NotYourAct`,
    `LetterElsewhere`.
    """
    letter = await locked(session, clock, caller, letter_id)
    require_next(letter, "verify")
    if not access.is_next_verifier(caller, letter):
        raise NotYourAct("The paraf of another verifier comes first.")
    letter.verified += 1
    await write_act(session, clock, caller=caller, letter=letter, act="verify")
    return letter


async def return_letter(
    session: AsyncSession, clock: Clock, *, caller: Caller, letter_id: UUID, note: str
) -> OutgoingLetter:
    """Back to its drafter; every paraf is given anew. Raises as `verify_letter`."""
    letter = await locked(session, clock, caller, letter_id)
    require_next(letter, "return")
    if not access.may_return(caller, letter):
        raise NotYourAct("The next verifier or the signer returns a letter.")
    letter.verified = 0
    await write_act(session, clock, caller=caller, letter=letter, act="return", note=note)
    return letter


async def cancel_letter(
    session: AsyncSession, clock: Clock, *, caller: Caller, letter_id: UUID, note: str
) -> OutgoingLetter:
    """Its number, if it has one, is void with the same reason. Raises as `verify_letter`."""
    letter = await locked(session, clock, caller, letter_id)
    require_next(letter, "cancel")
    if not (access.is_drafter(caller, letter) or access.is_signer(caller, letter)):
        raise NotYourAct("Its drafter or its signer cancels a letter.")
    if letter.state == NUMBERED:
        await numbering.void_number_of(
            session, clock, caller=caller, letter_id=letter.id, reason=note[:500]
        )
    await write_act(session, clock, caller=caller, letter=letter, act="cancel", note=note)
    return letter


async def list_letters(
    session: AsyncSession, clock: Clock, *, caller: Caller, state: str | None, page: PageAsk
) -> Sequence[OutgoingLetter]:
    reader = await standing.reader_of(session, clock.now(), caller)
    return await store.page(session, reader, state, page)


async def find_letter(
    session: AsyncSession, clock: Clock, *, caller: Caller, letter_id: UUID
) -> tuple[OutgoingLetter, Sequence[OutgoingAct]]:
    """The letter and all that was done with it. Raises `LetterUnknown`."""
    reader = await standing.reader_of(session, clock.now(), caller)
    letter = await store.find(session, reader, letter_id)
    if letter is None:
        raise LetterUnknown("Look it up under /v1/outgoing-letters.")
    return letter, await store.acts(session, letter.id)


async def is_destroyed(session: AsyncSession, *, letter: OutgoingLetter) -> bool:
    """Whether its record was destroyed by decree."""
    if letter.record_id is None:
        return False
    return await ending.is_buried(session, record_id=letter.record_id)


async def verify_code(
    session: AsyncSession, *, code: str
) -> tuple[OutgoingLetter, signatures.KeptSignature]:
    """The signed letter that the QR code names. Raises `LetterUnknown`."""
    letter = await store.by_code(session, code)
    if letter is None:
        raise LetterUnknown("The province has issued no letter with this code.")
    content = Stored(letter.content_sha256 or "", letter.content_bytes or 0)
    signed = [one.at for one in await store.acts(session, letter.id) if one.act == "sign"]
    return letter, await signatures.signature_or_plain(
        session,
        record_id=letter.record_id,
        content=content,
        at=max(signed, default=letter.created_at),
    )


async def content_of(session: AsyncSession, kept: signatures.KeptSignature) -> Stored:
    """The last file of a signed letter, as the store can open it."""
    return await signatures.content_of(session, kept.files[-1])
