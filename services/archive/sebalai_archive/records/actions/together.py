"""Decisions about small contents that came at the same time: what one transaction takes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content_store import ContentStore, Stored, Whole
from sebalai_archive.records import access, store
from sebalai_archive.records.actions import SAME_CONTENT_MAX
from sebalai_archive.records.model import DRAFT, Record
from sebalai_archive.seals import actions as seals
from sebalai_archive.standing import actions as standing

Taken = dict[UUID, tuple[Record, Sequence[UUID]]]
"""Records that have their content now, by id, each with others of equal bytes."""


@dataclass(frozen=True, slots=True)
class SmallContent:
    """`sha256` as the sender announced it."""

    record_id: UUID
    data: bytes
    sha256: bytes
    media_type: str


async def take_together(
    session: AsyncSession,
    clock: Clock,
    content: ContentStore,
    *,
    caller: Caller,
    sent: Sequence[SmallContent],
) -> Taken:
    """Takes what is plainly right: contents of drafts that the caller may change and nobody holds.
    What is missing in the answer is for `require_draft` to take, or to say what is wrong with it.

    Raises OSError: the store refuses, none is taken.
    """
    if not access.may_write(caller):
        return {}
    reader = await standing.enter_as(session, clock, caller)
    held = await store.lock_free(session, reader, [one.record_id for one in sent])
    drafts = {one.id: one for one in held if (one.agency, one.state) == (caller.agency, DRAFT)}
    pairs = [(drafts[one.record_id], one) for one in sent if one.record_id in drafts]
    kept = await content.put_together(
        [Whole(one.data, one.sha256, draft.security_class) for draft, one in pairs]
    )
    found = [(*pair, stored) for pair, stored in zip(pairs, kept, strict=True) if stored]
    await _name(session, clock, found)
    records = [record for record, _, _ in found]
    same = await store.same_content(session, reader, records, SAME_CONTENT_MAX)
    return {record.id: (record, same[record.id]) for record in records}


async def _name(
    session: AsyncSession, clock: Clock, found: Sequence[tuple[Record, SmallContent, Stored]]
) -> None:
    now = clock.now()
    await seals.keep_all(session, [stored for _, _, stored in found], now=now)
    for record, one, stored in found:
        record.content_sha256, record.content_bytes = stored.sha256, stored.size
        record.content_type, record.content_at = one.media_type, now
    await session.flush()
