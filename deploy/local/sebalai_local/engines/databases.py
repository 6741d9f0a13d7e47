"""Roles and databases in a running server, and the two properties we rely on. Idempotent.

Each role owns its one database and cannot even connect to another.
"""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg

from sebalai_local.failures import Failure

NAMES = ("gateway", "identity", "catalog", "archive", "exchange")
ROLE_CONNECTIONS_LIMIT = 60


async def ensure(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Makes what is missing and sets the passwords (name → password). Raises: Failure."""
    connection = await asyncpg.connect(admin_url)
    try:
        await _check(connection)
        await connection.execute("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
        for name, password in passwords.items():
            await _ensure_one(connection, name, password)
    finally:
        await connection.close()


async def _ensure_one(connection: asyncpg.Connection, name: str, password: str) -> None:
    role = await connection.fetchval("SELECT quote_ident($1)", name)
    secret = await connection.fetchval("SELECT quote_literal($1)", password)
    found = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
    verb = "ALTER" if found else "CREATE"
    await connection.execute(
        f"{verb} ROLE {role} LOGIN PASSWORD {secret} CONNECTION LIMIT {ROLE_CONNECTIONS_LIMIT}"
    )
    if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
        await connection.execute(
            f"CREATE DATABASE {role} OWNER {role} TEMPLATE template0 STRATEGY file_copy"
        )
    await connection.execute(f"REVOKE ALL ON DATABASE {role} FROM PUBLIC")


async def _check(connection: asyncpg.Connection) -> None:
    zone = "SELECT 1 FROM pg_timezone_names WHERE name = 'Asia/Jakarta'"
    if not await connection.fetchval(zone):
        raise Failure("This PostgreSQL has no time zone Asia/Jakarta.", "Install tzdata.")
    stems = "SELECT tsvector_to_array(to_tsvector('indonesian', 'perizinan pembangunan'))"
    if sorted(await connection.fetchval(stems) or []) != ["bangun", "izin"]:
        raise Failure(
            "This PostgreSQL has no Indonesian stemmer.",
            "Unset SEBALAI_PG_BIN or use version ≥ 16.",
        )
