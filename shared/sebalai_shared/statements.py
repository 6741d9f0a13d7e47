"""Statements given to the driver itself, where a request is little else than a few of them.

Through SQLAlchemy a statement costs several times what the driver takes for it. These run in the
session's own transaction, before and after whatever the session does, and fail as its statements
fail. They write `$1` for values, and flush nothing.
"""

from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_shared.driver import FAILED

_HELD = "sebalai.driver"


class Row(asyncpg.Record):
    """A row whose columns are read as attributes."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


async def fetch(session: AsyncSession, statement: str, *values: Any) -> list[Any]:
    """Raises `DBAPIError`."""
    driver = await _driver(session)
    try:
        return await driver.fetch(statement, *values, record_class=Row)
    except FAILED as error:
        raise _failed(driver, statement, error) from error


async def fetch_one(session: AsyncSession, statement: str, *values: Any) -> Any | None:
    """Its first row. Raises `DBAPIError`."""
    driver = await _driver(session)
    try:
        return await driver.fetchrow(statement, *values, record_class=Row)
    except FAILED as error:
        raise _failed(driver, statement, error) from error


async def execute(session: AsyncSession, statement: str, *values: Any) -> int:
    """How many rows it wrote. Raises `DBAPIError`."""
    driver = await _driver(session)
    try:
        done: str = await driver.execute(statement, *values)
    except FAILED as error:
        raise _failed(driver, statement, error) from error
    return int(done.rpartition(" ")[2])


async def _driver(session: AsyncSession) -> Any:
    """The session's connection, in the transaction that the session's own statements join."""
    transaction = session.sync_session.get_transaction()
    held = session.info.get(_HELD)
    if transaction is not None and held is not None and held[0] is transaction:
        return held[1]
    connection = (await session.connection()).sync_connection
    assert connection is not None  # noqa: S101 - just begun
    adapted: Any = connection.connection.dbapi_connection
    driver = adapted.driver_connection
    if not driver.is_in_transaction():
        # SQLAlchemy begins with its first statement only, and ends what it has begun.
        try:
            await adapted._start_transaction()  # noqa: SLF001
        except adapted.dbapi.Error as error:
            raise _failed(driver, "BEGIN", error) from error
    session.info[_HELD] = (session.sync_session.get_transaction(), driver)
    return driver


def _failed(driver: Any, statement: str, error: Exception) -> DBAPIError:
    if isinstance(error.__cause__ or error, asyncpg.InternalClientError):
        driver.terminate()  # its protocol's state is lost, and never comes back
    return DBAPIError(
        statement, None, error, hide_parameters=True, connection_invalidated=driver.is_closed()
    )
