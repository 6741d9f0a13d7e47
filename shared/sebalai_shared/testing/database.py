"""A migrated database per member and test session, and a test's changes rolled back at its end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

from sebalai_shared.database import Database
from sebalai_shared.migrations import migrate
from sebalai_shared.settings import MemberSettings


def at_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def fresh_database(admin_url: str, name: str, package_folder: Path | None = None) -> str:
    """Makes an empty database `name`, migrated if a package is given; answers its address."""
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    finally:
        await connection.close()
    url = at_database(admin_url, name)
    if package_folder is not None:
        await migrate(url.replace("postgresql://", "postgresql+asyncpg://", 1), package_folder)
    return url


class RolledBack(Database):
    """Every transaction is a savepoint inside one that is never committed.

    The identity map is emptied between requests (each gets its own session), so a test reads what
    the database holds and not what a session remembers.
    """

    def __init__(self, settings: MemberSettings) -> None:
        # A test waits between its requests for as long as its machine is slow.
        limits = {"idle_in_transaction_session_timeout": "0"}
        self.engine = create_async_engine(
            settings.database_dsn("postgresql+asyncpg"),
            poolclass=NullPool,
            connect_args={"server_settings": limits},
        )

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[RolledBack]:
        async with self.engine.connect() as connection:
            outer = await connection.begin()
            self.sessions = async_sessionmaker(
                bind=connection, join_transaction_mode="create_savepoint", expire_on_commit=False
            )
            try:
                yield self
            finally:
                await outer.rollback()
        await self.engine.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncSession]:
        async with self.sessions() as session, session.begin():
            yield session
