"""Reads of what changed since the last one, without a clock.

Each row knows the transaction that wrote it last. A read tells rows of transactions that are all
over (as the outbox's relay does), so none that commits late is missed; the token names the first
transaction the next read begins with, and stays as it is while nothing changes. A row that changed
again is told again, as it is now.

Numbers of transactions mean something in one life of the database only. A token names that life: of
another (restored, or a standby that took over) it is refused, and one begins anew. Rows that a
restored dump brought from a life with higher numbers count as written before all others.
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
from sebalai_shared.problems import Problem
from sqlalchemy import BigInteger, ColumnElement, Select, case, literal_column, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

Item = TypeVar("Item")
XID_MAX = 2**63 - 2
PARTS = 3
Begins = tuple[int, UUID | None]
"""The first transaction to tell of; with an id, after that row of it."""

Since = Annotated[
    str | None,
    Query(max_length=CURSOR_LENGTH_MAX, description="`since` of the read before; all when absent"),
]
_NOW = text(
    "SELECT pg_snapshot_xmin(s)::text::bigint AS horizon,"
    " pg_snapshot_xmax(s)::text::bigint AS ends, system_identifier || '-' || timeline_id AS life"
    " FROM pg_current_snapshot() s, pg_control_system(), pg_control_checkpoint()"
)


class SyncTokenStale(Problem):
    status, slug, title = 410, "sync-token-stale", "The changes since then are not known"


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

    Raises: BadCursor, SyncTokenStale.
    """
    since, limit = page
    moment = (await session.execute(_NOW)).one()
    begins = _begins(since, moment.life)
    written = literal_column(f"{key.class_.__tablename__}.changed_in", BigInteger)
    place = case((written >= moment.ends, 0), else_=written)
    query = query.where(place < moment.horizon, _after(place, key, begins))
    rows = (
        await session.execute(query.add_columns(place, key).order_by(place, key).limit(limit + 1))
    ).all()
    shown, more = rows[:limit], len(rows) > limit
    if more:
        begins = (shown[-1][-2], shown[-1][-1])
    elif shown:
        begins = (shown[-1][-2] + 1, None)
    token = [moment.life, begins[0], str(begins[1]) if begins[1] else None]
    return Changed([row[:-2] for row in shown], encode_cursor(token), more)


def _begins(since: str | None, life: str) -> Begins:
    """Raises: BadCursor, SyncTokenStale."""
    if since is None:
        return 0, None
    try:
        token = decode_cursor(since, PARTS)
    except BadCursor:
        # As tokens were before they named a life.
        decode_cursor(since, PARTS - 1)
        token = None
    if token is None or token[0] != life:
        raise SyncTokenStale("Read all once more, without `since`.")
    _, xid, last = token
    with suppress(ValueError):
        if isinstance(xid, int) and 0 <= xid <= XID_MAX:
            return xid, None if last is None else UUID(str(last))
    raise BadCursor("Take `since` of the read before as it is, or leave it out.")


def _after(
    place: ColumnElement[int], key: InstrumentedAttribute[UUID], begins: Begins
) -> ColumnElement[bool]:
    xid, last = begins
    return place >= xid if last is None else tuple_(place, key) > tuple_(xid, last)
