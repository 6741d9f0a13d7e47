"""Decisions about legal holds: place, release, and whether records are held."""

from collections.abc import Sequence
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.holds import store
from sebalai_archive.holds.model import LegalHold, LegalHoldRecord
from sebalai_archive.holds.schema import HoldPlace, HoldRelease
from sebalai_archive.records import actions as records


class HoldUnknown(NotFound):
    slug, title = "hold-unknown", "There is no such hold, or it is not yours"


class HoldReleased(Conflict):
    slug, title = "hold-released", "The hold was released before"


async def place_hold(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: HoldPlace
) -> LegalHold:
    """On records the caller may know of; each is locked first, so that a destruction that runs at
    the moment either has finished or will find the hold.

    Raises `MayNotWrite`, `RecordUnknown`.
    """
    records.require_writer(caller)
    for record_id in sorted(set(wanted.records)):
        await records.lock_known(session, clock, caller=caller, record_id=record_id)
    made = LegalHold(
        id=uuid7(),
        agency=caller.agency or "",
        reason=wanted.reason,
        reference=wanted.reference,
        placed_by=caller.subject or "",
        placed_at=clock.now(),
    )
    session.add(made)
    await session.flush()
    session.add_all(LegalHoldRecord(record_id=one, hold_id=made.id) for one in set(wanted.records))
    await session.flush()
    return made


async def release_hold(
    session: AsyncSession, clock: Clock, *, caller: Caller, hold_id: UUID, wanted: HoldRelease
) -> LegalHold:
    """By the agency that placed it. Raises `HoldUnknown`, `MayNotWrite`, `HoldReleased`."""
    records.require_writer(caller)
    found = await find_hold(session, caller=caller, hold_id=hold_id)
    if found.released_at is not None:
        raise HoldReleased("Place a new one if need be.")
    found.released_at, found.released_by = clock.now(), caller.subject or ""
    found.release_reason = wanted.reason
    await session.flush()
    return found


async def find_hold(session: AsyncSession, *, caller: Caller, hold_id: UUID) -> LegalHold:
    """Raises `HoldUnknown`."""
    found = await store.find(session, caller, hold_id)
    if found is None:
        raise HoldUnknown("Place one by POST /v1/holds.")
    return found


async def records_of(session: AsyncSession, *, hold: LegalHold) -> Sequence[UUID]:
    return await store.records_of(session, hold.id)


async def held_among(session: AsyncSession, *, records: Sequence[UUID]) -> set[UUID]:
    """Which of these are under any hold; asked inside the transaction that would destroy them."""
    return await store.held(session, records)
