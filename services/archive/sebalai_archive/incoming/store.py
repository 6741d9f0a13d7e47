"""SQL of incoming letters. Every read begins at `visible_to`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.incoming import access
from sebalai_archive.incoming.model import Disposition, IncomingLetter
from sebalai_archive.letter_rights import classes_open
from sebalai_archive.paging import PageAsk
from sebalai_archive.reader import Reader
from sebalai_archive.registers import holds


@dataclass(frozen=True, slots=True)
class Seat:
    """Who asks: `caller` with its scopes, `reader` with its rank."""

    caller: Caller
    reader: Reader


@dataclass(frozen=True, slots=True)
class Seen:
    """A letter, and whether it is open to the one who asks: else it is an envelope."""

    letter: IncomingLetter
    is_open: bool


def opened_to(seat: Seat) -> ColumnElement[bool]:
    """Whether the letter is more than an envelope to the one who asks."""
    if not access.opens_by_class(seat.caller, seat.reader):
        return _has_part(seat)
    return or_(_is_of_open_class(seat), _has_part(seat))


def _is_of_open_class(seat: Seat) -> ColumnElement[bool]:
    return IncomingLetter.security_class.in_(classes_open(seat.reader))


def _has_part(seat: Seat) -> ColumnElement[bool]:
    subject = seat.reader.subject
    live = exists().where(
        Disposition.letter_id == IncomingLetter.id,
        Disposition.recipient == subject,
        Disposition.state != "cancelled",
    )
    is_own = IncomingLetter.agency == seat.reader.agency
    return and_(is_own, or_(IncomingLetter.addressed_to == subject, live))


def visible_to(seat: Seat) -> Select[IncomingLetter]:
    query = select(IncomingLetter)
    if seat.reader.rank == "operator":
        return query.where(opened_to(seat))
    query = query.where(IncomingLetter.agency == seat.reader.agency)
    return query if access.may_register(seat.caller) else query.where(opened_to(seat))


async def page(session: AsyncSession, seat: Seat, ask: PageAsk) -> Sequence[Seen]:
    query = visible_to(seat).add_columns(opened_to(seat)).order_by(IncomingLetter.id.desc())
    if ask.after is not None:
        query = query.where(IncomingLetter.id < ask.after)
    if ask.words is not None:
        query = query.where(_found_by(seat, ask.words))
    rows = (await session.execute(query.limit(ask.limit + 1))).all()
    return [Seen(letter, is_open) for letter, is_open in rows]


def _found_by(seat: Seat, words: str) -> ColumnElement[bool]:
    """An envelope is found by what stands on it; by the subject only who opens the letter."""
    outside = (IncomingLetter.letter_number, IncomingLetter.sender, IncomingLetter.agenda)
    whole = holds(words, *outside, IncomingLetter.subject)
    return or_(holds(words, *outside), and_(opened_to(seat), whole))


async def find(session: AsyncSession, seat: Seat, letter_id: UUID) -> Seen | None:
    query = visible_to(seat).add_columns(opened_to(seat)).where(IncomingLetter.id == letter_id)
    row = (await session.execute(query)).one_or_none()
    return Seen(*row) if row else None


async def lock(session: AsyncSession, seat: Seat, letter_id: UUID) -> IncomingLetter | None:
    query = visible_to(seat).where(IncomingLetter.id == letter_id)
    return await session.scalar(query.with_for_update())


def dispositions_visible_to(seat: Seat) -> Select[Disposition]:
    """A person sees those it sent or got; office and head those on letters they open by class."""
    subject, is_own = seat.reader.subject, Disposition.agency == seat.reader.agency
    seen = and_(is_own, or_(Disposition.sender == subject, Disposition.recipient == subject))
    if access.opens_by_class(seat.caller, seat.reader):
        of_letter = exists().where(
            IncomingLetter.id == Disposition.letter_id, _is_of_open_class(seat)
        )
        is_whole = seat.reader.rank == "operator"
        seen = or_(seen, of_letter if is_whole else and_(is_own, of_letter))
    return select(Disposition).where(seen)


async def tree(
    session: AsyncSession, seat: Seat, letter_id: UUID, limit: int
) -> Sequence[Disposition]:
    query = dispositions_visible_to(seat).where(Disposition.letter_id == letter_id)
    return (await session.scalars(query.order_by(Disposition.id).limit(limit))).all()


async def lock_disposition(
    session: AsyncSession, seat: Seat, disposition_id: UUID
) -> Disposition | None:
    query = dispositions_visible_to(seat).where(Disposition.id == disposition_id)
    return await session.scalar(query.with_for_update())


async def disposition_page(
    session: AsyncSession, seat: Seat, overdue_on: date | None, ask: PageAsk
) -> Sequence[Disposition]:
    """The newest first; with `overdue_on` only those that should have ended before that day."""
    query = dispositions_visible_to(seat).order_by(Disposition.id.desc()).limit(ask.limit + 1)
    if overdue_on is not None:
        query = query.where(Disposition.ended_at.is_(None), Disposition.deadline < overdue_on)
    if ask.after is not None:
        query = query.where(Disposition.id < ask.after)
    return (await session.scalars(query)).all()


async def mark_read(
    session: AsyncSession, letter_id: UUID, recipient: str, at: datetime
) -> Sequence[Disposition]:
    """Those that are read by that."""
    found = await session.scalars(
        update(Disposition)
        .where(
            Disposition.letter_id == letter_id,
            Disposition.recipient == recipient,
            Disposition.state == "unread",
        )
        .values(state="read", read_at=at)
        .returning(Disposition)
    )
    return found.all()
