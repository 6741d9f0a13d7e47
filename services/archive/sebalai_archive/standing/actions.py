"""Decisions about standings: who is what to the archive, and entering a transaction as that."""

from datetime import datetime

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.problems import FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.reader import Reader, enter
from sebalai_archive.standing import store
from sebalai_archive.standing.model import Standing
from sebalai_archive.standing.schema import StandingSet

READERS = "readers"


class StandingUnknown(NotFound):
    slug, title = "standing-unknown", "This subject has no standing here"


class OperatorOnly(Forbidden):
    slug, title = "operator-only", "Only the operator may do this"


async def reader_of(session: AsyncSession, now: datetime, caller: Caller) -> Reader:
    """The reader a caller is, asked once a transaction. A person without a standing reads what the
    public reads.
    """
    known: dict[Caller, Reader] = session.info.setdefault(READERS, {})
    if caller not in known:
        known[caller] = await _reader_of(session, now, caller)
    return known[caller]


async def _reader_of(session: AsyncSession, now: datetime, caller: Caller) -> Reader:
    subject, agency = caller.subject or "", caller.agency or ""
    if caller.is_anonymous:
        return Reader("public", now)
    if caller.is_operator:
        return Reader("operator", now, subject, agency)
    found = await store.of(session, caller, now)
    if found is not None:
        return Reader(
            found.rank, now, subject, agency, found.unit, found.is_archivist, found.assignment
        )
    return Reader("system" if caller.kind == "system" else "public", now, subject, agency)


async def enter_as(session: AsyncSession, clock: Clock, caller: Caller) -> Reader:
    """The reader, told to the row security of this transaction."""
    reader = await reader_of(session, clock.now(), caller)
    await enter(session, reader)
    return reader


async def set_standing(
    session: AsyncSession, clock: Clock, *, caller: Caller, subject: str, wanted: StandingSet
) -> Standing:
    """Raises `OperatorOnly`, `FieldInvalid`."""
    if not caller.is_operator:
        raise OperatorOnly("Ask the operator to set it.")
    now = clock.now()
    begins = wanted.valid_from or now
    if wanted.valid_until is not None and wanted.valid_until <= begins:
        raise FieldInvalid("/valid_until", "It must lie after valid_from.")
    return await session.merge(
        Standing(
            subject=subject,
            **wanted.model_dump(exclude={"valid_from"}),
            valid_from=begins,
            set_by=caller.subject or "",
            set_at=now,
        )
    )


async def find_standing(session: AsyncSession, *, caller: Caller, subject: str) -> Standing:
    """Raises `StandingUnknown`."""
    found = await store.find(session, caller, subject)
    if found is None:
        raise StandingUnknown("PUT one to this address.")
    return found
