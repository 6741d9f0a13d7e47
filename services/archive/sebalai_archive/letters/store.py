"""SQL of letter types; they are public law, so everybody sees all of them."""

from collections.abc import Sequence

from sebalai_shared.caller import Caller
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.letters.model import LetterType

CHANGING = ("name", "group", "subgroup", "position", "provenance_status", "provenance_source")


def visible_to(caller: Caller) -> Select[LetterType]:  # noqa: ARG001 - public
    return select(LetterType)


async def page(
    session: AsyncSession, caller: Caller, after: int | None, limit: int
) -> Sequence[LetterType]:
    query = visible_to(caller).order_by(LetterType.position).limit(limit + 1)
    if after is not None:
        query = query.where(LetterType.position > after)
    return (await session.scalars(query)).all()


async def find(session: AsyncSession, caller: Caller, code: str) -> LetterType | None:
    return await session.scalar(visible_to(caller).where(LetterType.code == code))


async def keep(session: AsyncSession, rows: Sequence[dict[str, object]]) -> None:
    query = insert(LetterType)
    changed = {name: query.excluded[name] for name in CHANGING}
    await session.execute(query.on_conflict_do_update(index_elements=["code"], set_=changed), rows)
