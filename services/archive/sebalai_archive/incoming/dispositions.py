"""Decisions about dispositions: send down, read, follow up, finish, recall.

Only who holds a letter passes it on: the one it is for at the top, below that the recipient of a
live disposition. Recalled is only what nobody has read (as in the national application).
"""

from collections.abc import Sequence
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
from sebalai_archive.paging import PageAsk
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
    seen = await actions.find_letter(session, clock, caller=caller, letter_id=letter_id)
    letter = seen.letter
    parent = await _require_holder(session, clock, caller, letter, wanted.parent_id)
    _check(clock, caller, wanted)
    if parent is not None and _begin(parent, clock):
        await actions.tell_moved(session, clock, parent)
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
    await actions.tell_moved(session, clock, disposition)
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
    session: AsyncSession,
    clock: Clock,
    caller: Caller,
    letter: IncomingLetter,
    parent_id: UUID | None,
) -> Disposition | None:
    if parent_id is None:
        if letter.addressed_to != caller.subject:
            raise NotTheHolder("The first disposition is made by the one the letter is for.")
        return None
    seat = await actions.seat_of(session, clock, caller)
    parent = await store.lock_disposition(session, seat, parent_id)
    if parent is None or parent.letter_id != letter.id:
        raise FieldInvalid("/parent_id", "Name the disposition of this letter that you got.")
    if parent.recipient != caller.subject:
        raise NotTheHolder("You pass on only what was given to you.")
    if parent.state not in LIVE:
        raise DispositionElsewhere(f"It is {parent.state}; nothing follows from that.")
    return parent


def _begin(found: Disposition, clock: Clock) -> bool:
    """What somebody passed on or worked on was read, and is not recalled any more. Answers whether
    that is new.
    """
    is_new = found.state == UNREAD
    if is_new:
        found.state = "read"
    found.read_at = found.read_at or clock.now()
    return is_new


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
    found = await _of_recipient(session, clock, caller, disposition_id)
    if LIVE.index(to) > LIVE.index(found.state):
        found.state = to
        _begin(found, clock)
        await session.flush()
        await actions.tell_moved(session, clock, found)
    return found


async def _of_recipient(
    session: AsyncSession, clock: Clock, caller: Caller, disposition_id: UUID
) -> Disposition:
    found = await _locked(session, clock, caller, disposition_id)
    if found.recipient != caller.subject:
        raise NotTheHolder("This belongs to the one the disposition is for.")
    if found.state not in LIVE:
        raise DispositionElsewhere(f"It is {found.state} already.")
    return found


async def _locked(
    session: AsyncSession, clock: Clock, caller: Caller, disposition_id: UUID
) -> Disposition:
    seat = await actions.seat_of(session, clock, caller)
    found = await store.lock_disposition(session, seat, disposition_id)
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
    found = await _of_recipient(session, clock, caller, disposition_id)
    found.outcome, found.answer_id = wanted.outcome, wanted.answer_id
    _begin(found, clock)
    found.state, found.ended_at = "done", clock.now()
    try:
        await session.flush()
    except IntegrityError as error:  # the database holds that it is a letter of the same agency
        raise FieldInvalid("/answer_id", "Name an outgoing letter of your agency.") from error
    await actions.tell_moved(session, clock, found)
    return found


async def recall(
    session: AsyncSession, clock: Clock, *, caller: Caller, disposition_id: UUID
) -> Disposition:
    """By its sender, while nobody has read it. Raises as `move`."""
    found = await _locked(session, clock, caller, disposition_id)
    if found.sender != caller.subject:
        raise NotTheHolder("Only its sender recalls a disposition.")
    if found.state != UNREAD:
        raise DispositionElsewhere(f"It is {found.state}: what was read is not recalled.")
    found.state, found.ended_at = "cancelled", clock.now()
    await session.flush()
    await actions.tell_moved(session, clock, found)
    return found


async def tree_of(
    session: AsyncSession, clock: Clock, *, caller: Caller, letter_id: UUID
) -> Sequence[Disposition]:
    """Raises `IncomingUnknown`."""
    await actions.find_letter(session, clock, caller=caller, letter_id=letter_id)
    seat = await actions.seat_of(session, clock, caller)
    return await store.tree(session, seat, letter_id, TREE_MAX)


async def list_dispositions(
    session: AsyncSession, clock: Clock, *, caller: Caller, is_overdue: bool, page: PageAsk
) -> Sequence[Disposition]:
    """The newest first; overdue are those past their deadline and not ended."""
    overdue_on = civil_date(clock.now()) if is_overdue else None
    seat = await actions.seat_of(session, clock, caller)
    return await store.disposition_page(session, seat, overdue_on, page)
