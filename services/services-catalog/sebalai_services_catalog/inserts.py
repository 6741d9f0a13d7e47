"""New rows in one statement, straight to the driver: where an insert is most of a request."""

from functools import lru_cache
from itertools import count
from typing import Any

import orjson
from sebalai_shared.database import Base
from sebalai_shared.statements import execute
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

KINDS_CACHED = 16


async def insert(session: AsyncSession, *rows: Base) -> None:
    """Each may refer to those before it. No default of the mapping is filled in, and the session
    does not come to hold them. Raises `DBAPIError`.
    """
    kinds = tuple(_table(row) for row in rows)
    values = [
        _value(is_json, getattr(row, name))
        for row, table in zip(rows, kinds, strict=True)
        for name, is_json in _columns(table)
    ]
    await execute(session, _statement(kinds), *values)


def _table(row: Base) -> Table:
    table = row.__table__
    assert isinstance(table, Table)  # noqa: S101 - every one of ours is mapped to a table
    return table


def _value(is_json: bool, value: Any) -> Any:  # noqa: FBT001 - of a column
    return orjson.dumps(value).decode() if is_json and value is not None else value


@lru_cache(maxsize=KINDS_CACHED)
def _columns(table: Table) -> list[tuple[str, bool]]:
    """Each with whether it holds JSON."""
    return [(column.name, isinstance(column.type, JSONB)) for column in table.columns]


@lru_cache(maxsize=KINDS_CACHED)
def _statement(tables: tuple[Table, ...]) -> str:
    """Parts of one statement: a reference is checked when all of it is done."""
    numbers = count(1)
    inserts = [_insert(table, numbers) for table in tables]
    named = [f"part_{place} AS ({part})" for place, part in enumerate(inserts[:-1])]
    return f"WITH {', '.join(named)} {inserts[-1]}" if named else inserts[-1]


def _insert(table: Table, numbers: "count[int]") -> str:
    columns = _columns(table)
    places = [f"${next(numbers)}{'::text::jsonb' if is_json else ''}" for _, is_json in columns]
    names = ", ".join(name for name, _ in columns)
    return f"INSERT INTO {table.name} ({names}) VALUES ({', '.join(places)})"  # noqa: S608
