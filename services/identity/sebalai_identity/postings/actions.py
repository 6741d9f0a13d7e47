"""Decisions about postings and delegations: record, end early, and tell when one ended by itself.

What somebody may therefore do at an instant is `authority`'s matter.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, FieldInvalid, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acts.actions import tell
from sebalai_identity.civil_servants.actions import get_civil_servant
from sebalai_identity.desk import Desk
from sebalai_identity.persons.actions import PersonUnknown, get_person, require_keeper
from sebalai_identity.positions.actions import PositionUnknown, known_positions
from sebalai_identity.postings import access, events, store
from sebalai_identity.postings.model import PLH, Delegation, Posting
from sebalai_identity.postings.schema import DelegationRecord, PostingRecord
from sebalai_identity.postings.store import DelegationFilter, PostingFilter
from sebalai_identity.revocations.actions import revoke
from sebalai_identity.rows import insert_once
from sebalai_identity.wording import Ending, end_of, is_within

__all__ = ["DelegationFilter", "DelegationRecord", "PostingFilter", "PostingRecord"]

ENDED, CANCELLED, LAPSED = "ended", "cancelled", "lapsed"


class PostingUnknown(NotFound):
    slug, title = "posting-unknown", "There is no such posting"


class DelegationUnknown(NotFound):
    slug, title = "delegation-unknown", "There is no such delegation"


class PostTaken(Conflict):
    slug, title = "post-taken", "Somebody holds the position, or the person a post, in that time"


async def record_posting(
    session: AsyncSession, desk: Desk, *, wanted: PostingRecord, source: str = "desk"
) -> Posting:
    """Raises `PeopleOnly`, `PersonUnknown`, `PositionUnknown`, `FieldInvalid`, `PostTaken`."""
    require_keeper(desk.caller)
    _refuse(access.posting_fault(wanted.kind, wanted.valid_from, wanted.valid_until))
    await _require_person(session, desk, wanted)
    await _require_position(session, wanted)
    row = Posting(
        id=uuid7(),
        source=source,
        is_cancelled=False,
        is_end_told=False,
        recorded_at=desk.now,
        **wanted.model_dump(),
    )
    await insert_once(session, row, _taken(wanted.kind))
    await tell(
        session, desk, kind=events.POSTING_RECORDED, subject=str(row.id), data=_posting_data(row)
    )
    return row


def _taken(kind: str) -> PostTaken:
    if kind == PLH:
        return PostTaken("Another Plh. holds it in that time; end that posting first.")
    return PostTaken("A holder or a Plt. is in it, or the person holds another; end that first.")


def _refuse(fault: tuple[str, str] | None) -> None:
    if fault is not None:
        raise FieldInvalid(*fault)


async def _require_person(session: AsyncSession, desk: Desk, wanted: PostingRecord) -> None:
    person = await get_person(session, wanted.person_id)
    if person is None or not person.is_active(desk.now):
        raise PersonUnknown("Register the person first, or reactivate them.")


async def _require_position(session: AsyncSession, wanted: PostingRecord) -> None:
    position = (await known_positions(session, {wanted.position_id})).get(wanted.position_id)
    if position is None:
        raise PositionUnknown("Establish it under /v1/positions.")
    start, end = position.valid_from, position.valid_until
    if not is_within(start, end, wanted.valid_from):
        raise FieldInvalid("/valid_from", "The position does not exist then.")
    if end is not None and (wanted.valid_until is None or wanted.valid_until > end):
        raise FieldInvalid("/valid_until", "The position ends before that.")
    if not position.is_elected:
        servant = await get_civil_servant(session, wanted.person_id)
        if servant is None or not is_within(
            servant.valid_from, servant.valid_until, wanted.valid_from
        ):
            raise FieldInvalid("/person_id", "Not a civil servant then; enlist them first.")


def _posting_data(row: Posting) -> dict[str, object]:
    return {
        "posting_id": str(row.id),
        "person_id": str(row.person_id),
        "position_id": str(row.position_id),
        "kind": row.kind,
        **_period(row),
    }


def _delegation_data(row: Delegation) -> dict[str, object]:
    return {
        "delegation_id": str(row.id),
        "from_posting_id": str(row.from_posting_id),
        "to_posting_id": str(row.to_posting_id),
        "kind": row.kind,
        "matters": row.matters,
        **_period(row),
    }


def _period(row: Posting | Delegation) -> dict[str, object]:
    until = row.valid_until
    return {
        "decree": row.decree,
        "valid_from": row.valid_from.isoformat(),
        "valid_until": until.isoformat() if until is not None else None,
    }


async def end_posting(
    session: AsyncSession, desk: Desk, *, posting_id: UUID, ending: Ending
) -> Posting:
    """Before its start it is cancelled. Raises `PeopleOnly`, `PostingUnknown`, `FieldInvalid`."""
    require_keeper(desk.caller)
    row = await store.lock(session, Posting, posting_id)
    if row is None:
        raise PostingUnknown("Look it up under /v1/postings.")
    await _end_posting(session, desk, row, ending)
    return row


async def _end_posting(session: AsyncSession, desk: Desk, row: Posting, ending: Ending) -> None:
    cause = _end(row, ending, desk)
    if cause is None:
        return
    await session.flush()
    # Tokens that name the posting were capped to its former end.
    await revoke(session, desk.clock, kind="pst", value=row.id, reason=cause)
    data = _posting_data(row) | {"cause": cause}
    await tell(session, desk, kind=events.POSTING_ENDED, subject=str(row.id), data=data)


async def end_postings_of_position(
    session: AsyncSession, desk: Desk, *, position_id: UUID, ending: Ending
) -> int:
    """For the end of a position; how many ended. Raises `FieldInvalid`."""
    is_in = Posting.position_id == position_id
    rows = await store.running(session, is_in, end_of(ending, desk.now))
    for row in rows:
        await _end_posting(session, desk, row, ending)
    return len(rows)


async def end_postings_of_servant(
    session: AsyncSession, desk: Desk, *, person_id: UUID, ending: Ending
) -> None:
    """For the end of somebody's service; an elected post goes on. Raises `FieldInvalid`."""
    is_theirs = Posting.person_id == person_id
    rows = await store.running(session, is_theirs, end_of(ending, desk.now))
    positions = await known_positions(session, {row.position_id for row in rows})
    for row in rows:
        if not positions[row.position_id].is_elected:
            await _end_posting(session, desk, row, ending)


def _end(row: Posting | Delegation, ending: Ending, desk: Desk) -> str | None:
    """Marks the end; None when it has ended before that."""
    at = end_of(ending, desk.now)
    if row.is_cancelled or (row.valid_until is not None and row.valid_until <= at):
        return None
    row.ended_by, row.is_end_told, row.end_reason = desk.actor, True, ending.reason
    if at <= row.valid_from:
        row.is_cancelled = True
        return CANCELLED
    row.valid_until = at
    return ENDED


async def record_delegation(
    session: AsyncSession, desk: Desk, *, wanted: DelegationRecord
) -> Delegation:
    """Raises `PeopleOnly`, `PostingUnknown`, `DelegationUnknown`, `FieldInvalid`."""
    require_keeper(desk.caller)
    given = wanted.model_dump() | {"matters": sorted(wanted.matters)}
    row = Delegation(
        id=uuid7(), is_cancelled=False, is_end_told=False, recorded_at=desk.now, **given
    )
    giver, receiver, parent = await _chain(session, row)
    _refuse(access.delegation_fault(row, giver, receiver, parent))
    session.add(row)
    await session.flush()
    data = _delegation_data(row)
    await tell(session, desk, kind=events.DELEGATION_RECORDED, subject=str(row.id), data=data)
    return row


async def _chain(
    session: AsyncSession, row: Delegation
) -> tuple[Posting, Posting, Delegation | None]:
    ids = {row.from_posting_id, row.to_posting_id}
    postings = {one.id: one for one in await store.by_ids(session, Posting, ids)}
    if set(postings) != ids:
        raise PostingUnknown("Record both postings under /v1/postings.")
    parent = None
    if row.parent_id is not None:
        (parent,) = await store.by_ids(session, Delegation, {row.parent_id}) or [None]
        if parent is None:
            raise DelegationUnknown("Record the a.n. under /v1/delegations.")
    return postings[row.from_posting_id], postings[row.to_posting_id], parent


async def end_delegation(
    session: AsyncSession, desk: Desk, *, delegation_id: UUID, ending: Ending
) -> Delegation:
    """Raises `PeopleOnly`, `DelegationUnknown`, `FieldInvalid`."""
    require_keeper(desk.caller)
    row = await store.lock(session, Delegation, delegation_id)
    if row is None:
        raise DelegationUnknown("Look it up under /v1/delegations.")
    cause = _end(row, ending, desk)
    if cause is not None:
        await session.flush()
        await revoke(session, desk.clock, kind="pst", value=row.to_posting_id, reason=cause)
        data = _delegation_data(row) | {"cause": cause}
        await tell(session, desk, kind=events.DELEGATION_ENDED, subject=str(row.id), data=data)
    return row


async def tell_lapsed(session: AsyncSession, desk: Desk) -> int:
    """Tells, once, what ended by itself since; how many. A timed job of the worker."""
    postings = await store.lapsed(session, Posting, desk.now)
    delegations = await store.lapsed(session, Delegation, desk.now)
    for posting in postings:
        data = _posting_data(posting) | {"cause": LAPSED}
        await tell(session, desk, kind=events.POSTING_ENDED, subject=str(posting.id), data=data)
        posting.is_end_told = True
    for one in delegations:
        data = _delegation_data(one) | {"cause": LAPSED}
        await tell(session, desk, kind=events.DELEGATION_ENDED, subject=str(one.id), data=data)
        one.is_end_told = True
    await session.flush()
    return len(postings) + len(delegations)


@dataclass(frozen=True, slots=True)
class KnownPosting:
    id: UUID
    person_id: UUID
    position_id: UUID
    kind: str
    valid_from: datetime
    valid_until: datetime | None
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class KnownDelegation:
    id: UUID
    from_posting_id: UUID
    to_posting_id: UUID
    kind: str
    parent_id: UUID | None
    matters: list[str]
    valid_from: datetime
    valid_until: datetime
    is_cancelled: bool


def _posting(row: Posting) -> KnownPosting:
    return KnownPosting(**{name: getattr(row, name) for name in KnownPosting.__dataclass_fields__})


def _delegation(row: Delegation) -> KnownDelegation:
    names = KnownDelegation.__dataclass_fields__
    return KnownDelegation(**{name: getattr(row, name) for name in names})


@dataclass(frozen=True, slots=True)
class Held:
    """What stands behind somebody's authority at an instant: rows as they are, to be judged."""

    postings: tuple[KnownPosting, ...]
    delegations: tuple[KnownDelegation, ...]
    givers: dict[UUID, KnownPosting]
    parents: dict[UUID, KnownDelegation]

    def all_postings(self) -> tuple[KnownPosting, ...]:
        return (*self.postings, *self.givers.values())


async def postings_of_people(
    session: AsyncSession, people: Collection[UUID], at: datetime
) -> list[KnownPosting]:
    """For slices of identity: what these people hold at `at` by their postings' own periods."""
    return [_posting(row) for row in await store.postings_of_people(session, people, at)]


async def held_by(session: AsyncSession, *, person_id: UUID, at: datetime) -> Held:
    """The person's postings at `at`, delegations to them, with givers and parents."""
    postings = await store.postings_of(session, person_id, at)
    mine = [row.id for row in postings]
    delegations = await store.delegations_to(session, mine, at) if mine else []
    parent_ids = {row.parent_id for row in delegations if row.parent_id is not None}
    parents = await store.by_ids(session, Delegation, parent_ids)
    giver_ids = {row.from_posting_id for row in (*delegations, *parents)}
    givers = await store.by_ids(session, Posting, giver_ids)
    return Held(
        tuple(_posting(row) for row in postings),
        tuple(_delegation(row) for row in delegations),
        {row.id: _posting(row) for row in givers},
        {row.id: _delegation(row) for row in parents},
    )


async def show_posting(session: AsyncSession, *, caller: Caller, posting_id: UUID) -> Posting:
    """Raises `PostingUnknown`."""
    row = await store.visible(session, caller, Posting, posting_id)
    if row is None:
        raise PostingUnknown("Look it up under /v1/postings.")
    return row


async def list_postings(
    session: AsyncSession, *, caller: Caller, wanted: PostingFilter, after: UUID | None, limit: int
) -> Sequence[Posting]:
    return await store.page(session, caller, Posting, wanted, after, limit)


async def list_delegations(
    session: AsyncSession,
    *,
    caller: Caller,
    wanted: DelegationFilter,
    after: UUID | None,
    limit: int,
) -> Sequence[Delegation]:
    return await store.page(session, caller, Delegation, wanted, after, limit)
