"""SQL of outgoing letters. Every read begins at `visible_to`, except the public verification."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.letter_rights import classes_open
from sebalai_archive.outgoing.model import OutgoingAct, OutgoingLetter
from sebalai_archive.outgoing.states import SENT, SIGNED
from sebalai_archive.paging import PageAsk
from sebalai_archive.reader import Reader
from sebalai_archive.registers import holds

# As the index has it.
_ADDRESSEES = literal_column(
    "(jsonb_path_query_array(outgoing_letter.addressees, '$[*].name')::text)", Text
)


def visible_to(reader: Reader) -> Select[OutgoingLetter]:
    """Those the reader has a part in, and those of its agency whose class it opens; the operator
    has no agency of its own, but no more classes either.
    """
    own = OutgoingLetter.agency == reader.agency
    is_open = OutgoingLetter.security_class.in_(classes_open(reader))
    if reader.rank == "operator":
        return select(OutgoingLetter).where(or_(is_open, and_(own, _has_part(reader))))
    return select(OutgoingLetter).where(own, or_(is_open, _has_part(reader)))


def _has_part(reader: Reader) -> ColumnElement[bool]:
    return or_(
        OutgoingLetter.drafter == reader.subject,
        OutgoingLetter.signer["subject"].astext == reader.subject,
        OutgoingLetter.verifiers.contains([reader.subject]),
    )


async def page(
    session: AsyncSession, reader: Reader, state: str | None, ask: PageAsk
) -> Sequence[OutgoingLetter]:
    query = visible_to(reader).order_by(OutgoingLetter.id.desc()).limit(ask.limit + 1)
    if state is not None:
        query = query.where(OutgoingLetter.state == state)
    if ask.words is not None:
        found = holds(ask.words, OutgoingLetter.number_text, OutgoingLetter.subject, _ADDRESSEES)
        query = query.where(found)
    if ask.after is not None:
        query = query.where(OutgoingLetter.id < ask.after)
    return (await session.scalars(query)).all()


async def find(session: AsyncSession, reader: Reader, letter_id: UUID) -> OutgoingLetter | None:
    return await session.scalar(visible_to(reader).where(OutgoingLetter.id == letter_id))


async def lock(session: AsyncSession, reader: Reader, letter_id: UUID) -> OutgoingLetter | None:
    query = visible_to(reader).where(OutgoingLetter.id == letter_id)
    return await session.scalar(query.with_for_update())


async def by_code(session: AsyncSession, code: str) -> OutgoingLetter | None:
    """For the public: whoever holds the letter knows its code, which cannot be guessed. Before it
    is signed nobody can hold it, and there is nothing to verify.
    """
    query = select(OutgoingLetter).where(OutgoingLetter.verification_code == code)
    return await session.scalar(query.where(OutgoingLetter.state.in_((SIGNED, SENT))))


async def acts(session: AsyncSession, letter_id: UUID) -> Sequence[OutgoingAct]:
    query = select(OutgoingAct).where(OutgoingAct.letter_id == letter_id)
    return (await session.scalars(query.order_by(OutgoingAct.place))).all()


async def next_place(session: AsyncSession, letter_id: UUID) -> int:
    """Under the letter's lock."""
    query = select(func.count()).where(OutgoingAct.letter_id == letter_id)
    return int(await session.scalar(query) or 0) + 1
