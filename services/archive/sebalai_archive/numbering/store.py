"""SQL of numbering. Every read begins at `visible_to`: a register is its agency's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.numbering.model import Number, NumberTemplate

_TAKE = text(
    "SELECT take_numbers(:agency, :book, :year, CAST(:ids AS uuid[]), CAST(:letter AS uuid), "
    "CAST(:block AS uuid), :at, :actor)"
)


_TAKE_AGENDA = text(
    "SELECT take_agenda_number(CAST(:id AS uuid), :agency, :book, :year, CAST(:letter AS uuid), "
    ":at, :actor)"
)


@dataclass(frozen=True, slots=True)
class Series:
    agency: str
    book: str
    year: int


@dataclass(frozen=True, slots=True)
class Taking:
    """Who takes numbers when, and what for: a letter or a block, one of them."""

    at: datetime
    actor: str
    letter_id: UUID | None = None
    block_id: UUID | None = None


def visible_to(caller: Caller) -> Select[Number]:
    query = select(Number)
    return query if caller.is_operator else query.where(Number.agency == (caller.agency or ""))


def templates_visible_to(caller: Caller) -> Select[NumberTemplate]:
    query = select(NumberTemplate)
    if caller.is_operator:
        return query
    return query.where(NumberTemplate.agency == (caller.agency or ""))


async def template_on(
    session: AsyncSession, agency: str, letter_type: str, day: date
) -> NumberTemplate | None:
    """The template in force on `day`."""
    query = select(NumberTemplate).where(
        NumberTemplate.agency == agency,
        NumberTemplate.letter_type == letter_type,
        NumberTemplate.valid_from <= day,
    )
    return await session.scalar(query.order_by(NumberTemplate.valid_from.desc()).limit(1))


async def templates(
    session: AsyncSession, caller: Caller, after: UUID | None, limit: int
) -> Sequence[NumberTemplate]:
    query = templates_visible_to(caller).order_by(NumberTemplate.id).limit(limit + 1)
    if after is not None:
        query = query.where(NumberTemplate.id > after)
    return (await session.scalars(query)).all()


async def take(session: AsyncSession, series: Series, ids: Sequence[UUID], taking: Taking) -> int:
    """Reserves the next numbers of the series, one for each id; answers the first of them."""
    names = {
        "agency": series.agency,
        "book": series.book,
        "year": series.year,
        "ids": list(ids),
        "letter": taking.letter_id,
        "block": taking.block_id,
        "at": taking.at,
        "actor": taking.actor,
    }
    return int(await session.scalar(_TAKE, names))


async def take_agenda(
    session: AsyncSession, series: Series, number_id: UUID, taking: Taking
) -> int:
    """The next number of the series, issued at once as `n/year`."""
    names = {
        "id": number_id,
        "agency": series.agency,
        "book": series.book,
        "year": series.year,
        "letter": taking.letter_id,
        "at": taking.at,
        "actor": taking.actor,
    }
    return int(await session.scalar(_TAKE_AGENDA, names))


async def page(
    session: AsyncSession, caller: Caller, book: str, year: int, after: int, limit: int
) -> Sequence[Number]:
    query = visible_to(caller).where(Number.book == book, Number.year == year, Number.n > after)
    return (await session.scalars(query.order_by(Number.n).limit(limit + 1))).all()


async def lock(session: AsyncSession, caller: Caller, number_id: UUID) -> Number | None:
    query = visible_to(caller).where(Number.id == number_id)
    return await session.scalar(query.with_for_update())


async def of_letter(session: AsyncSession, letter_id: UUID) -> Number | None:
    query = select(Number).where(Number.letter_id == letter_id)
    return await session.scalar(query.with_for_update())
