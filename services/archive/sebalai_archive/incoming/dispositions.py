"""Decisions about dispositions: send down, read, follow up, finish, recall.

Only who holds a letter passes it on: the one it is for at the top, below that the recipient of a
live disposition. Recalled is only what nobody has read (as in the national application).
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.incoming import actions, store
from sebalai_archive.incoming.model import Disposition, DispositionState, IncomingLetter
from sebalai_archive.incoming.schema import DispositionCreate, DispositionDone
from sebalai_archive.retention.actions import civil_date

TREE_MAX = 500
UNREAD: DispositionState = "unread"
LIVE: tuple[DispositionState, ...] = ("unread", "read", "followed_up")


class DispositionUnknown(NotFound):
    slug, title = "disposition-unknown", "There is no such disposition, or it is not yours to see"


class NotTheHolder(Forbidden):
    slug, title = "letter-not-yours-to-pass", "Only who holds the letter disposes of it"


class DispositionElsewhere(Conflict):
    slug, title = "disposition-state", "The disposition is not at that step"


async def send(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    letter_id: UUID,
    wanted: DispositionCreate,
) -> Disposition:
    """Raises `IncomingUnknown`, `NotTheHolder`, `DispositionElsewhere`, `FieldInvalid`."""
    letter = await actions.find_letter(session, caller=caller, letter_id=letter_id)
    await _require_holder(session, caller, letter, wanted.parent_id)
    _check(clock, caller, wanted)
    disposition = Disposition(
        id=uuid7(),
        letter_id=letter.id,
        agency=letter.agency,
        sender=str(caller.subject),
        state=UNREAD,
        sent_at=clock.now(),
        **wanted.model_dump(exclude={"on_behalf"}),
        on_behalf=wanted.on_behalf.model_dump(mode="json") if wanted.on_behalf else None,
    )
    session.add(disposition)
    await session.flush()
    return disposition


def _check(clock: Clock, caller: Caller, wanted: DispositionCreate) -> None:
    today = civil_date(clock.now())
    if wanted.recipient == caller.subject:
        raise FieldInvalid("/recipient", "Name somebody else; your own work needs no disposition.")
    if wanted.deadline is not None and wanted.deadline < today:
        raise FieldInvalid("/deadline", "A deadline lies today or later.")
    delegation = wanted.on_behalf
    if delegation and delegation.until is not None and delegation.until < today:
        raise FieldInvalid("/on_behalf/until", "The delegation has ended.")


async def _require_holder(
    session: AsyncSession, caller: Caller, letter: IncomingLetter, parent_id: UUID | None
) -> None:
    if parent_id is None:
        if letter.addressed_to != caller.subject:
            raise NotTheHolder("The first disposition is made by the one the letter is for.")
        return
    parent = await store.lock_disposition(session, caller, parent_id)
    if parent is None or parent.letter_id != letter.id:
        raise FieldInvalid("/parent_id", "Name the disposition of this letter that you got.")
    if parent.recipient != caller.subject:
        raise NotTheHolder("You pass on only what was given to you.")
    if parent.state not in LIVE:
        raise DispositionElsewhere(f"It is {parent.state}; nothing follows from that.")


async def move(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    disposition_id: UUID,
    to: DispositionState,
) -> Disposition:
    """Read or followed up, by its recipient; again changes nothing.

    Raises `DispositionUnknown`, `NotTheHolder`, `DispositionElsewhere`.
    """
    found = await _of_recipient(session, caller, disposition_id)
    if LIVE.index(to) > LIVE.index(found.state):
        found.state = to
        found.read_at = found.read_at or clock.now()
        await session.flush()
    return found


async def _of_recipient(session: AsyncSession, caller: Caller, disposition_id: UUID) -> Disposition:
    found = await _locked(session, caller, disposition_id)
    if found.recipient != caller.subject:
        raise NotTheHolder("This belongs to the one the disposition is for.")
    if found.state not in LIVE:
        raise DispositionElsewhere(f"It is {found.state} already.")
    return found


async def _locked(session: AsyncSession, caller: Caller, disposition_id: UUID) -> Disposition:
    found = await store.lock_disposition(session, caller, disposition_id)
    if found is None:
        raise DispositionUnknown("Look it up under /v1/dispositions.")
    return found


async def finish(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    disposition_id: UUID,
    wanted: DispositionDone,
) -> Disposition:
    """Raises as `move`, and `FieldInvalid`."""
    found = await _of_recipient(session, caller, disposition_id)
    found.outcome, found.answer_id = wanted.outcome, wanted.answer_id
    found.read_at = found.read_at or clock.now()
    found.state, found.ended_at = "done", clock.now()
    try:
        await session.flush()
    except IntegrityError as error:  # the database holds that it is a letter of the same agency
        raise FieldInvalid("/answer_id", "Name an outgoing letter of your agency.") from error
    return found


async def recall(
    session: AsyncSession, clock: Clock, *, caller: Caller, disposition_id: UUID
) -> Disposition:
    """By its sender, while nobody has read it. Raises as `move`."""
    found = await _locked(session, caller, disposition_id)
    if found.sender != caller.subject:
        raise NotTheHolder("Only its sender recalls a disposition.")
    if found.state != UNREAD:
        raise DispositionElsewhere(f"It is {found.state}: what was read is not recalled.")
    found.state, found.ended_at = "cancelled", clock.now()
    await session.flush()
    return found


async def tree_of(
    session: AsyncSession, *, caller: Caller, letter_id: UUID
) -> Sequence[Disposition]:
    """Raises `IncomingUnknown`."""
    await actions.find_letter(session, caller=caller, letter_id=letter_id)
    return await store.tree(session, caller, letter_id, TREE_MAX)


async def list_dispositions(
    session: AsyncSession,
    *,
    caller: Caller,
    overdue_on: date | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Disposition]:
    return await store.disposition_page(session, caller, overdue_on, after, limit)
