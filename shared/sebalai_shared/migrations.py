"""Runs a member's Alembic migrations in process: linear, with a lock timeout, one runner at a time.

A member keeps `sebalai_x/migrations/versions/*.py`; there is no alembic.ini and no env.py of its
own (`script_location` is this package's `alembic_env`).
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

LOCK_TIMEOUT = "5s"
RUNNER_LOCK = 7_219_304_001


def _config(package_folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(package_folder / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(connection: Connection, package_folder: Path) -> None:
    config = _config(package_folder)
    script = ScriptDirectory.from_config(config)

    def steps(revision: object, _context: object) -> object:
        return script._upgrade_revs("head", revision)  # type: ignore[arg-type]  # noqa: SLF001

    # Two runners at once (two containers starting): the second waits, then finds nothing.
    connection.execute(text("select pg_advisory_lock(:key)"), {"key": RUNNER_LOCK})
    connection.execute(text(f"set lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()
    with EnvironmentContext(config, script, fn=steps) as environment:  # type: ignore[arg-type]
        environment.configure(connection=connection, transaction_per_migration=True)
        with environment.begin_transaction():
            environment.run_migrations()


def head(package_folder: Path) -> str | None:
    """The revision the code expects; readiness compares it with the database's."""
    return ScriptDirectory.from_config(_config(package_folder)).get_current_head()


async def migrate(dsn: str, package_folder: Path) -> None:
    """Brings the database at `dsn` (scheme postgresql+asyncpg) to head, each migration in a
    transaction of its own: what one has locked, the next does not hold. One that fails leaves
    those before it done; a run after that goes on from there.
    """
    engine = create_async_engine(dsn, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade, package_folder)
    finally:
        await engine.dispose()


def run_migrate(dsn: str, package_folder: Path) -> None:
    asyncio.run(migrate(dsn, package_folder))


__all__ = ["command", "head", "migrate", "run_migrate"]
