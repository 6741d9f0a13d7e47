"""A member's PostgreSQL: one engine a process, one transaction a request or message.

The transaction is committed before the answer is sent (`scope="function"`), so a client
that reads 201 finds what it created. Nobody else commits.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy import Engine, MetaData, event, text
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from sebalai_shared import problems
from sebalai_shared.settings import MemberSettings

log = logging.getLogger(__name__)

STATEMENT_TIMEOUT_MS = 15_000
IDLE_TRANSACTION_TIMEOUT_MS = 15_000
CONNECT_TIMEOUT_SECONDS = 5
POOL_WAIT_SECONDS = 5
RESTED_SECONDS = 30  # a connection unused for longer is asked before it is trusted
RETRY_AFTER_SECONDS = 2

# SQLSTATE classes and codes after which the same request may succeed:
# connection lost, transaction rolled back, memory, disk or connections used up, a standby before
# it leads, a lock or a statement that took too long, server stopping or starting.
_PASSING = ("08", "40", "53", "25006", "55P03", "57014", "57P01", "57P02", "57P03", "58030")

_NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of every table of a process; a process holds one member, so one MetaData."""

    metadata = MetaData(naming_convention=_NAMES)


class Database:
    def __init__(self, settings: MemberSettings) -> None:
        self.engine = create_async_engine(
            settings.database_dsn("postgresql+asyncpg"),
            pool_size=settings.pool_connections,
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            hide_parameters=True,  # a failed statement is logged, a person's data in it is not
            connect_args={"timeout": CONNECT_TIMEOUT_SECONDS, "server_settings": server_settings()},
        )
        _watch_connections(self.engine.sync_engine)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncSession]:
        """One session in one transaction: committed at the end, rolled back on any exception."""
        async with self.sessions() as session, session.begin():
            yield session

    async def check(self) -> None:
        """Raises whatever the driver raises when the database cannot answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("select 1"))

    async def close(self) -> None:
        await self.engine.dispose()


def _watch_connections(engine: Engine) -> None:
    """A server too slow to connect to is away like one that refuses.

    `pool_pre_ping` costs every request three turns to the server. A server that stops says so
    on the socket, which costs nothing to see; only who rested long may have been cut in silence.
    """

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, _: Any, arguments: Any, options: Any) -> Any:
        try:
            return dialect.connect(*arguments, **options)
        except OSError as error:  # too slow, no way there, or no such name
            raise ConnectionError(type(error).__name__) from error

    @event.listens_for(engine, "handle_error")
    def part(failed: Any) -> None:
        if isinstance(failed.original_exception, failed.dialect.loaded_dbapi.InternalClientError):
            failed.is_disconnect = True  # its protocol's state is lost, and never comes back

    @event.listens_for(engine, "checkin")
    def rest(_: Any, record: Any) -> None:
        record.info["rests_since"] = monotonic()

    @event.listens_for(engine, "checkout")
    def look(connection: Any, record: Any, _: Any) -> None:
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError("closed by the server")
        if monotonic() - record.info.get("rests_since", monotonic()) < RESTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError("lost while it rested") from error


def server_settings() -> dict[str, str]:
    """Limits that every connection of ours carries. A forgotten transaction holds back all events
    (the relay's horizon), so none may idle.
    """
    return {
        "timezone": "UTC",
        "jit": "off",
        "statement_timeout": str(STATEMENT_TIMEOUT_MS),
        "idle_in_transaction_session_timeout": str(IDLE_TRANSACTION_TIMEOUT_MS),
    }


async def _transaction(request: Request) -> AsyncIterator[AsyncSession]:
    database: Database = request.app.state.database
    async with database.transaction() as session:
        yield session


Transaction = Annotated[AsyncSession, Depends(_transaction, scope="function")]
"""The request's transaction, for a route's parameter."""


def row_dict(row: Any) -> dict[str, Any]:
    """A mapped row as a plain dict of its columns."""
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


FAILURES = (DBAPIError, PoolTimeoutError, ConnectionError)


def told_of(error: Exception) -> problems.Unavailable:
    """What a request is told whose database failed, where waiting heals it; else raises the error
    itself, which is a fault of ours.
    """
    cause = getattr(error, "orig", error)
    is_passing = str(getattr(cause, "sqlstate", None)).startswith(_PASSING)
    if isinstance(error, DBAPIError) and not (is_passing or error.connection_invalidated):
        raise error
    log.warning("the database does not answer: %s", type(cause).__name__)
    # Of what is no statement, the commit is the one that may have come through.
    kept = "It is not known whether this request was kept."
    if not isinstance(error, DBAPIError) or error.statement is not None:
        kept = "Nothing was kept of this request."
    detail = f"{kept} Send it again in {RETRY_AFTER_SECONDS} s."
    return problems.Unavailable(detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


async def _on_failure(_: Request, error: Exception) -> JSONResponse:
    return problems.answer(told_of(error))


def answer_failures(app: FastAPI) -> None:
    for failure in FAILURES:
        app.add_exception_handler(failure, _on_failure)
