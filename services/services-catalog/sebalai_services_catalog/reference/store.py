"""SQL of the reference lists; they are public law, so everybody sees all of them."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sebalai_shared.caller import Caller
from sqlalchemy import Select, inspect, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.reference.model import Listed

Row = TypeVar("Row", bound=Listed)


def visible_to(caller: Caller, table: type[Row]) -> Select[Row]:  # noqa: ARG001 - public
    return select(table)


async def page(
    session: AsyncSession, caller: Caller, table: type[Row], after: int | None, limit: int
) -> Sequence[Row]:
    """Up to `limit + 1` rows in the order of the source."""
    query = visible_to(caller, table).order_by(table.position).limit(limit + 1)
    if after is not None:
        query = query.where(table.position > after)
    return (await session.scalars(query)).all()


async def keep(session: AsyncSession, table: type[Listed], rows: Sequence[dict[str, Any]]) -> None:
    mapper: Any = inspect(table)
    keys = [column.name for column in mapper.primary_key]
    query = insert(table)
    changed = {name: query.excluded[name] for name in rows[0] if name not in keys}
    await session.execute(query.on_conflict_do_update(index_elements=keys, set_=changed), rows)
