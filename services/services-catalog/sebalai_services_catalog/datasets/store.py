"""SQL of datasets: what is shown is public; a draft is its agency's and the walidata's."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import ColumnElement, Select, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from sebalai_services_catalog.datasets.model import Dataset, DatasetAct
from sebalai_services_catalog.datasets.queries import Filter, Order, Wanted

ACTS_MAX = 200
REVIEWS_MAX = 200
LOAD_LOCK = 7_219_304_102

_SHOWN: InstrumentedAttribute[Any] = Dataset.shown
_ORDERS: dict[Order, Any] = {
    "name": Dataset.slug,
    "title_string": _SHOWN["title"]["id"].astext,
    "metadata_modified": Dataset.modified_at,
    "metadata_created": Dataset.published_at,
}


def visible_to(caller: Caller) -> Select[Dataset]:  # noqa: ARG001 - public
    return select(Dataset).where(Dataset.shown.is_not(None))


async def page(
    session: AsyncSession, caller: Caller, wanted: Wanted, after: str | None, limit: int
) -> Sequence[Dataset]:
    """Up to `limit + 1` by slug."""
    query = visible_to(caller).where(*_conditions(wanted)).order_by(Dataset.slug).limit(limit + 1)
    if after is not None:
        query = query.where(Dataset.slug > after)
    return (await session.scalars(query)).all()


async def search(
    session: AsyncSession, caller: Caller, wanted: Wanted
) -> tuple[int, Sequence[Dataset]]:
    """How many there are, and those from `start` on."""
    query = visible_to(caller).where(*_conditions(wanted))
    count = await session.scalar(select(func.count()).select_from(query.subquery())) or 0
    order = [_ORDERS[name].desc() if falls else _ORDERS[name].asc() for name, falls in wanted.sort]
    query = query.order_by(*order, Dataset.slug).offset(wanted.start).limit(wanted.rows)
    return count, (await session.scalars(query)).all()


async def facet(
    session: AsyncSession, caller: Caller, wanted: Wanted, field: str, limit: int
) -> dict[str, int]:
    """Datasets a value of the field among those found, the most frequent first."""
    found = visible_to(caller).where(*_conditions(wanted)).subquery()
    value = _values(field, found.c.agency, found.c.shown)
    values = select(found.c.id, value.label("value")).distinct().subquery()
    count = func.count()
    query = (
        select(values.c.value, count)
        .group_by(values.c.value)
        .order_by(count.desc(), values.c.value)
        .limit(limit)
    )
    return {str(value): number for value, number in await session.execute(query)}


def _values(field: str, agency: Any, shown: Any) -> ColumnElement[Any]:
    if field == "organization":
        return agency
    if field == "license_id":
        return shown["license"].astext
    if field == "res_format":
        return func.jsonb_path_query(shown, text("'$.distributions[*].format'")).op("#>>")(
            text("'{}'")
        )
    return func.jsonb_array_elements_text(shown["themes" if field == "groups" else "keywords"])


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        Dataset.terms.contains(word.lower(), autoescape=True) for word in wanted.words
    ]
    return found + [_condition(one) for one in wanted.filters]


def _condition(one: Filter) -> ColumnElement[bool]:
    holds: dict[str, ColumnElement[bool]] = {
        "organization": Dataset.agency == one.value,
        "name": Dataset.slug == one.value,
        "license_id": _SHOWN["license"].astext == one.value,
        "groups": _SHOWN["themes"].contains([one.value.upper()]),
        "tags": _SHOWN["keywords"].contains([one.value]),
        "res_format": _SHOWN["distributions"].contains([{"format": one.value.upper()}]),
    }
    return ~holds[one.field] if one.is_not else holds[one.field]


async def find(session: AsyncSession, caller: Caller, slug: str) -> Dataset | None:
    return (await session.scalars(visible_to(caller).where(Dataset.slug == slug))).one_or_none()


async def find_id(session: AsyncSession, caller: Caller, dataset_id: UUID) -> Dataset | None:
    query = visible_to(caller).where(Dataset.id == dataset_id)
    return (await session.scalars(query)).one_or_none()


async def hold(session: AsyncSession, slug: str) -> Dataset | None:
    """Locked to the transaction's end, whatever its state."""
    query = select(Dataset).where(Dataset.slug == slug).with_for_update()
    return (await session.scalars(query)).one_or_none()


async def claim(session: AsyncSession, values: dict[str, Any]) -> bool:
    """False when the slug is taken; waits for a transaction that is taking it."""
    query = insert(Dataset).values(values).on_conflict_do_nothing().returning(Dataset.id)
    return (await session.scalar(query)) is not None


async def in_review(session: AsyncSession) -> Sequence[Dataset]:
    """Those that wait for the walidata, the longest first; at most REVIEWS_MAX."""
    query = select(Dataset).where(Dataset.state == "review").order_by(Dataset.changed_at)
    return (await session.scalars(query.limit(REVIEWS_MAX))).all()


async def acts(session: AsyncSession, dataset_id: UUID) -> Sequence[DatasetAct]:
    """The latest ACTS_MAX, oldest first."""
    query = (
        select(DatasetAct)
        .where(DatasetAct.dataset_id == dataset_id)
        .order_by(DatasetAct.id.desc())
        .limit(ACTS_MAX)
    )
    return list(reversed((await session.scalars(query)).all()))


async def hold_load(session: AsyncSession) -> None:
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOAD_LOCK})
