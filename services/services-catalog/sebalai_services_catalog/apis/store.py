"""SQL of known interfaces; the list is public."""

from collections.abc import Sequence

from sebalai_shared.caller import Caller
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.apis.model import Interface

INTERFACES_MAX = 5_000


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
