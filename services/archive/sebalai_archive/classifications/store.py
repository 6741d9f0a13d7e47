"""SQL of classification codes; they are public law, so everybody sees all of them."""

from collections.abc import Sequence

from sebalai_shared.caller import Caller
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.classifications.model import Classification
from sebalai_archive.codes import path_of


def visible_to(caller: Caller) -> Select[Classification]:  # noqa: ARG001 - public
    return select(Classification)


async def page(
    session: AsyncSession, caller: Caller, parent: str | None, after: str | None, limit: int
) -> Sequence[Classification]:
    """Up to `limit + 1` codes in natural order."""
    query = visible_to(caller).order_by(Classification.path).limit(limit + 1)
    if parent is not None:
        query = query.where(Classification.parent == parent)
    if after is not None:
        query = query.where(Classification.path > path_of(after))
    return (await session.scalars(query)).all()


async def find(session: AsyncSession, caller: Caller, code: str) -> Classification | None:
    return await session.scalar(visible_to(caller).where(Classification.code == code))


async def keep(session: AsyncSession, rows: Sequence[dict[str, object]]) -> None:
    query = insert(Classification)
    changed = {
        name: query.excluded[name]
        for name in ("name", "parent", "provenance_status", "provenance_source")
    }
    await session.execute(query.on_conflict_do_update(index_elements=["code"], set_=changed), rows)
