"""Reads of what changed since the last one, without a clock.

Each row knows the transaction that wrote it last. A read tells rows of transactions that are all
over (as the outbox's relay does), so none that commits late is missed; the token names the first
transaction the next read begins with. A row that changed again is told again, as it is now.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from sebalai_shared.pagination import (
    CURSOR_LENGTH_MAX,
    BadCursor,
    decode_cursor,
    encode_cursor,
)
from sqlalchemy import BigInteger, ColumnElement, Select, literal_column, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

Item = TypeVar("Item")
XID_MAX = 2**63 - 1

Since = Annotated[
    str | None,
    Query(max_length=CURSOR_LENGTH_MAX, description="`since` of the read before; all when absent"),
]
_HORIZON = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


class Delta(BaseModel, Generic[Item]):
    """`since` is for the next read; with `more` read on at once."""

    items: list[Item]
    since: str
    more: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """Rows in the order of their last change, the token after them, whether there are more."""

    rows: Sequence[Any]
    since: str
    more: bool


async def changed(
    session: AsyncSession,
    query: Select[*tuple[Any, ...]],
    key: InstrumentedAttribute[UUID],
    page: tuple[str | None, int],
) -> Changed:
    """`key` is the id of the table with `changed_in`; `page` is token and limit.

    Raises: BadCursor.
    """
    since, limit = page
    place = literal_column(f"{key.class_.__tablename__}.changed_in", BigInteger)
    horizon: int = (await session.execute(_HORIZON)).scalar_one()
    query = query.where(place < horizon, *_after(place, key, since))
    rows = (
        await session.execute(query.add_columns(place, key).order_by(place, key).limit(limit + 1))
    ).all()
    shown, more = rows[:limit], len(rows) > limit
    token = [shown[-1][-2], str(shown[-1][-1])] if more else [horizon, None]
    return Changed([row[:-2] for row in shown], encode_cursor(token), more)


def _after(
    place: ColumnElement[int], key: InstrumentedAttribute[UUID], since: str | None
) -> list[ColumnElement[bool]]:
    token = decode_cursor(since, 2)
    if token is None:
        return []
    xid, last = token
    if isinstance(xid, int) and 0 <= xid <= XID_MAX:
        if last is None:
            return [place >= xid]
        with suppress(ValueError):
            return [tuple_(place, key) > tuple_(xid, UUID(str(last)))]
    raise BadCursor("Take `since` of the read before as it is, or leave it out.")
