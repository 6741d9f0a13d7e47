"""Decisions about opening content: on what grounds, whether it may still be given out, the log."""

from collections.abc import Sequence
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock, to_text
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, Forbidden, Problem
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.examinations import actions as examinations
from sebalai_archive.reader import Reader, SecurityClass
from sebalai_archive.records import access, actions, store
from sebalai_archive.records.model import DECLARED, Opening, Record
from sebalai_archive.standing import actions as standing


class ContentClosed(Forbidden):
    slug, title = "content-closed", "You may know of this, not open it"


class ContentInfected(Conflict):
    slug, title = "content-infected", "The virus scanner found something in the content"


class ContentDestroyed(Problem):
    status, slug, title = 410, "content-destroyed", "The content was destroyed by decree"


async def open_record(
    session: AsyncSession, clock: Clock, *, caller: Caller, record_id: UUID, what: str = "content"
) -> Record:
    """The record for reading its content; above class biasa the opening is logged.

    Raises `RecordUnknown`, `ContentClosed`, `ContentDestroyed`, `ContentInfected`.
    """
    record = await actions.find_record(session, clock, caller=caller, record_id=record_id)
    reader = await standing.reader_of(session, clock.now(), caller)
    grounds = access.grounds_to_open(reader, await _facts(session, reader, record))
    if grounds is None:
        raise ContentClosed("Ask its owner for a written leave.")
    await require_sound(session, record_id=record.id, sha256=record.content_sha256 or "")
    log = (record.id, record.security_class, grounds, what)
    await note_opening(session, reader=reader, log=log)
    return record


async def open_file(
    session: AsyncSession, clock: Clock, *, caller: Caller, file_id: UUID, what: str, limit: int
) -> Sequence[Record]:
    """Up to `limit + 1` declared records of a file unit that the caller may open and that are not
    destroyed; each opening is logged as one record's is. Raises `ContentInfected`.
    """
    reader = await standing.enter_as(session, clock, caller)
    found = await store.open_in_file(session, reader, file_id, limit)
    for record in found:
        facts = await _facts(session, reader, record)
        grounds = access.grounds_to_open(reader, facts) or "agency"
        await require_sound(session, record_id=record.id, sha256=record.content_sha256 or "")
        log = (record.id, record.security_class, grounds, what)
        await note_opening(session, reader=reader, log=log)
    return found


async def require_sound(session: AsyncSession, *, record_id: UUID | None, sha256: str) -> None:
    """Whoever may read it, what was destroyed or is infected is not given out.

    Raises `ContentDestroyed`, `ContentInfected`.
    """
    buried = await store.tombstone_of(session, record_id) if record_id else None
    if buried is not None:
        raise ContentDestroyed(
            "Its metadata and proof remain.",
            disposal=str(buried.disposal_id),
            at=to_text(buried.at),
        )
    looked = await examinations.found_in(session, sha256=sha256)
    if looked is not None and looked.state == "infected":
        raise ContentInfected("It is kept as evidence and not given out; tell the operator.")


async def note_opening(
    session: AsyncSession, *, reader: Reader, log: tuple[UUID, SecurityClass, str, str]
) -> None:
    """`log`: the id of what was opened (a record, or a letter that is none), its class, on what
    grounds, and what of it. Class biasa is not logged.
    """
    opened_id, security_class, grounds, what = log
    if security_class not in access.LOGGED:
        return
    opening = Opening(
        id=uuid7(),
        at=reader.now,
        record_id=opened_id,
        subject=reader.subject,
        agency=reader.agency,
        security_class=security_class,
        grounds=grounds,
        what=what,
    )
    session.add(opening)
    await session.flush()


async def _facts(session: AsyncSession, reader: Reader, record: Record) -> access.Facts:
    needs = await store.needs_of(session, reader, record.id)
    known: frozenset[access.Need] = frozenset(one for one in access.NEEDS if one in needs)
    return access.Facts(
        agency=record.agency,
        unit=record.unit,
        security_class=record.security_class,
        is_declared=record.state == DECLARED,
        subject=record.subject,
        needs=known,
    )
