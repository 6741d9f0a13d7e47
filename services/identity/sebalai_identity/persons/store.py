"""SQL of persons. The keepers of people see all, a person their own row."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.statements import fetch_one
from sqlalchemy import Select, false, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.persons.access import is_self, may_manage
from sebalai_identity.persons.model import Person


@dataclass(frozen=True)
class PersonFilter:
    """`q` is part of a name; never a number."""

    q: str | None = None
    state: str | None = None


def visible_to(caller: Caller) -> Select[Person]:
    query = select(Person)
    if may_manage(caller):
        return query
    own = _own_id(caller)
    return query.where(Person.id == own) if own is not None else query.where(false())


def _own_id(caller: Caller) -> UUID | None:
    try:
        own = UUID(caller.subject or "")
    except ValueError:
        return None
    return own if is_self(caller, own) else None


async def visible(session: AsyncSession, caller: Caller, person_id: UUID) -> Person | None:
    return await session.scalar(visible_to(caller).where(Person.id == person_id))


async def page(
    session: AsyncSession, caller: Caller, wanted: PersonFilter, after: UUID | None, limit: int
) -> Sequence[Person]:
    """Up to `limit + 1` persons by id."""
    query = visible_to(caller).order_by(Person.id).limit(limit + 1)
    if after is not None:
        query = query.where(Person.id > after)
    if wanted.q is not None:
        query = query.where(Person.name.icontains(wanted.q, autoescape=True))
    if wanted.state is not None:
        query = query.where(Person.state == wanted.state)
    return (await session.scalars(query)).all()


async def by_id(session: AsyncSession, person_id: UUID) -> Person | None:
    """For the other slices of identity, which decide themselves who may."""
    return await session.get(Person, person_id)


_HOLD = (
    "SELECT id, name, birth_date, assurance, state, reason, valid_until FROM person"
    " WHERE id = $1 FOR SHARE"
)


async def hold(session: AsyncSession, person_id: UUID) -> Any | None:
    """As they are, with what `KnownPerson` tells, and until this transaction is over stay."""
    return await fetch_one(session, _HOLD, person_id)


async def by_ids(session: AsyncSession, ids: Collection[UUID]) -> Sequence[Person]:
    return (await session.scalars(select(Person).where(Person.id.in_(ids)))).all()


async def lock(session: AsyncSession, person_id: UUID) -> Person | None:
    query = select(Person).where(Person.id == person_id).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))


async def by_nik_index(session: AsyncSession, index: bytes) -> Person | None:
    return await session.scalar(select(Person).where(Person.nik_index == index))
