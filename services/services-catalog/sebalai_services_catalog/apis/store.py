"""SQL of known interfaces; the list is public."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sebalai_shared.caller import Caller
from sqlalchemy import Select, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.apis.model import Interface, ListedApi

INTERFACES_MAX = 5_000
KEY = ("kind", "name")


@dataclass(frozen=True, slots=True)
class ApiFilter:
    """`words` must all occur. Without a lifecycle, what is retired is left out."""

    words: tuple[str, ...] = ()
    agency: str | None = None
    kind: str | None = None
    lifecycle: str | None = None


@dataclass(frozen=True, slots=True)
class BusUse:
    """Interfaces not retired, those of them that were called in 30 days, and the calls."""

    interfaces: int
    used: int
    calls: int


def visible_to(caller: Caller) -> Select[Interface]:  # noqa: ARG001 - public
    return select(Interface).where(Interface.state == "published")


async def published(session: AsyncSession, caller: Caller) -> Sequence[Interface]:
    query = visible_to(caller).order_by(Interface.name).limit(INTERFACES_MAX)
    return (await session.scalars(query)).all()


async def keep(session: AsyncSession, values: dict[str, object]) -> None:
    """Takes the fact unless a later one was taken before it."""
    query = insert(Interface).values(values)
    changed = {name: query.excluded[name] for name in values if name != "id"}
    await session.execute(
        query.on_conflict_do_update(
            index_elements=["id"], set_=changed, where=Interface.seen_at <= query.excluded.seen_at
        )
    )


async def listed(
    session: AsyncSession, wanted: ApiFilter, after: tuple[str, str] | None, limit: int
) -> Sequence[ListedApi]:
    """Up to `limit + 1` by kind and name; public."""
    query = select(ListedApi).order_by(ListedApi.kind, ListedApi.name).limit(limit + 1)
    if after is not None:
        query = query.where(tuple_(ListedApi.kind, ListedApi.name) > after)
    for column in ("agency", "kind", "lifecycle"):
        value = getattr(wanted, column)
        if value is not None:
            query = query.where(getattr(ListedApi, column) == value)
    if wanted.lifecycle is None:
        query = query.where(ListedApi.lifecycle != "retired")
    for word in wanted.words:
        texts = (ListedApi.name, ListedApi.title, ListedApi.description)
        query = query.where(or_(*(text.icontains(word, autoescape=True) for text in texts)))
    return (await session.scalars(query)).all()


async def find_listed(session: AsyncSession, kind: str, name: str) -> ListedApi | None:
    query = select(ListedApi).where(ListedApi.kind == kind, ListedApi.name == name)
    return await session.scalar(query)


async def keep_listed(session: AsyncSession, values: Sequence[dict[str, Any]]) -> None:
    """The whole list: what is new or changed is written, what is not in it is retired."""
    for kind in ("interface", "event"):
        names = [one["name"] for one in values if one["kind"] == kind]
        gone = ListedApi.name.not_in(names)
        await session.execute(
            update(ListedApi)
            .where(ListedApi.kind == kind, ListedApi.lifecycle != "retired", gone)
            .values(lifecycle="retired", calls=0, consumers=0, agencies=0)
        )
    if not values:
        return
    query = insert(ListedApi)
    changed = {name: query.excluded[name] for name in values[0] if name not in KEY}
    is_other = tuple_(*(getattr(ListedApi, name) for name in changed)).is_distinct_from(
        tuple_(*changed.values())
    )
    await session.execute(
        query.on_conflict_do_update(index_elements=KEY, set_=changed, where=is_other), values
    )


async def use(session: AsyncSession) -> BusUse:
    used = func.count().filter(ListedApi.calls > 0)
    query = select(func.count(), used, func.coalesce(func.sum(ListedApi.calls), 0))
    rows = query.where(ListedApi.kind == "interface", ListedApi.lifecycle != "retired")
    interfaces, called, calls = (await session.execute(rows)).one()
    return BusUse(interfaces, called, int(calls))
