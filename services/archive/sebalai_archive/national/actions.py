"""Decisions about the exchange with the national application: what is queued, when it is tried
again, what a conflict does. Nothing is overwritten on either side.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content_store import Stored
from sebalai_archive.incoming import actions as incoming
from sebalai_archive.national import store
from sebalai_archive.national.model import NationalItem, State
from sebalai_archive.national.wire import Incoming
from sebalai_archive.paging import PageAsk
from sebalai_archive.reader import SecurityClass
from sebalai_archive.records import actions as records
from sebalai_archive.seals import actions as seals

QUEUED_A_PASS = 100
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)
DOUBLINGS_MAX = 20  # past the longest pause, and no number grows without end
CLASSES_EXCHANGED: tuple[SecurityClass, ...] = ("biasa", "terbatas")
"""Letters of higher classes are not sent: what the national application does with them is not
known here.
"""


class SyncItemUnknown(NotFound):
    slug, title = "sync-item-unknown", "There is no such letter in the queue, or it is not yours"


class SyncItemSettled(Conflict):
    slug, title = "sync-item-settled", "The letter is through; there is nothing to repeat"


class SyncClosed(Forbidden):
    slug, title = "sync-closed", "The state of the exchange is the operator's to see"


def pause(attempts: int) -> timedelta:
    """How long after that many failures the next try comes: doubled each time, up to 6 hours."""
    return min(FIRST_PAUSE * 2 ** min(attempts, DOUBLINGS_MAX), LONGEST_PAUSE)


async def queue_letters(session: AsyncSession, clock: Clock, *, agencies: Sequence[str]) -> int:
    """Letters that were sent and stand in no queue; none is missed, whenever this runs."""
    found = await store.unqueued(session, agencies, CLASSES_EXCHANGED, QUEUED_A_PASS)
    for letter in found:
        await store.add(session, _values(clock.now(), letter.agency, letter.content_sha256)
                        | {"direction": "out", "outgoing_id": letter.id})  # fmt: skip
    return len(found)


def _values(now: datetime, agency: str, sha256: str) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "agency": agency,
        "sha256": sha256,
        "state": "waiting",
        "attempts": 0,
        "next_at": now,
        "created_at": now,
        "changed_at": now,
    }


async def note_listed(
    session: AsyncSession, clock: Clock, *, letters: Sequence[Incoming], units: Mapping[str, str]
) -> None:
    """A page of the national list, in one transaction with the place it was read to. `units`: its
    codes for our agencies.
    """
    for letter in letters:
        known = await store.of_national(session, letter.id)
        if known is None:
            await _note(session, clock, letter, units.get(letter.unit))
        elif known.sha256 != letter.sha256:
            settle(known, clock, state="conflict", problem="content-differs")
    if letters:
        await store.move_cursor(session, letters[-1].order, clock.now())


async def _note(session: AsyncSession, clock: Clock, letter: Incoming, agency: str | None) -> None:
    values = _values(clock.now(), agency or "", letter.sha256)
    facts = letter.model_dump(mode="json", by_alias=True)
    values |= {"direction": "in", "national_id": letter.id, "facts": facts}
    if agency is None:
        values |= {"state": "refused", "problem": "agency-unknown"}
    await store.add(session, values)


async def arrive(
    session: AsyncSession,
    clock: Clock,
    *,
    item_id: UUID,
    agency: str,
    come: tuple[Incoming, Stored],
) -> None:
    """The letter waits for the agency's office; its content is in the store already. One that came
    by another way before is not made again.
    """
    letter, content = come
    item = await store.lock_waiting(session, item_id)
    if item is None:
        return
    item.agency = agency
    before = await store.came_before(session, item.agency, letter.number, letter.sha256)
    if before is not None:
        settle(item, clock, state="duplicate")
        item.incoming_id, item.facts = before, None
        return
    arrived = await incoming.arrive(
        session, clock, agency=item.agency, letter=_dispatched(letter, content)
    )
    await seals.keep(session, content, now=clock.now())
    item.incoming_id, item.facts = arrived.id, None
    settle(item, clock, state="done")


def _dispatched(letter: Incoming, content: Stored) -> incoming.Dispatched:
    return incoming.Dispatched(
        outgoing_id=None,
        sender=letter.sender,
        letter_number=letter.number,
        letter_date=letter.dated,
        subject=letter.subject,
        security_class=letter.security_class,
        urgency=letter.urgency,
        content=content,
    )


def settle(item: NationalItem, clock: Clock, *, state: State, problem: str | None = None) -> None:
    item.state, item.problem, item.changed_at = state, problem, clock.now()


def put_off(item: NationalItem, clock: Clock, *, problem: str) -> None:
    """It failed, and will be tried again after its pause."""
    item.next_at = clock.now() + pause(item.attempts)
    item.attempts += 1
    item.problem, item.changed_at = problem, clock.now()


async def list_items(
    session: AsyncSession, *, caller: Caller, state: State | None, page: PageAsk
) -> Sequence[NationalItem]:
    """Raises `MayNotWrite`."""
    _require_office(caller)
    return await store.page(session, caller, state, page)


async def repeat(
    session: AsyncSession, clock: Clock, *, caller: Caller, item_id: UUID
) -> NationalItem:
    """Now instead of later, or once more after it was refused or in conflict.

    Raises `MayNotWrite`, `SyncItemUnknown`, `SyncItemSettled`.
    """
    _require_office(caller)
    item = await store.lock(session, caller, item_id)
    if item is None:
        raise SyncItemUnknown("Look it up under /v1/national-sync/items.")
    if item.state in {"done", "duplicate"} or item.incoming_id is not None:
        raise SyncItemSettled("What came stays as it came.")
    settle(item, clock, state="waiting")
    item.next_at, item.attempts = clock.now(), 0
    await session.flush()
    return item


def _require_office(caller: Caller) -> None:
    if not caller.is_operator:
        records.require_writer(caller)


async def read_figures(session: AsyncSession, *, caller: Caller) -> store.Figures:
    """Raises `SyncClosed`."""
    if not caller.is_operator:
        raise SyncClosed("Your agency's letters stand under /v1/national-sync/items.")
    return await store.figures(session)
