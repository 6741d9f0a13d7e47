"""SQL of what direct subscriptions have beside the others: a start in time and a credential."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.subscriptions.credentials import Direct


async def add(session: AsyncSession, ident: UUID, starts_at: datetime) -> None:
    query = text("INSERT INTO direct (subscription, starts_at) VALUES (:id, :at)")
    await session.execute(query, {"id": ident, "at": starts_at})


async def issue(session: AsyncSession, ident: UUID, digest: bytes, now: datetime) -> Direct:
    query = text(
        "UPDATE direct SET issue = issue + 1, digest = :digest, issued_at = :now "
        "WHERE subscription = :id RETURNING subscription AS ident, starts_at, issue"
    )
    row = (await session.execute(query, {"id": ident, "digest": digest, "now": now})).one()
    return Direct(row.ident, row.starts_at, row.issue)


async def credential(session: AsyncSession, ident: UUID) -> tuple[Direct, bytes | None] | None:
    query = text(
        "SELECT subscription AS ident, starts_at, issue, digest FROM direct "
        "WHERE subscription = :id"
    )
    row = (await session.execute(query, {"id": ident})).one_or_none()
    return None if row is None else (Direct(row.ident, row.starts_at, row.issue), row.digest)


async def all_open(session: AsyncSession) -> Sequence[Direct]:
    query = text(
        "SELECT d.subscription AS ident, d.starts_at, d.issue, d.placed_at FROM direct d "
        "JOIN subscription s ON s.id = d.subscription WHERE s.state <> 'ended' ORDER BY s.id"
    )
    return [Direct(**row) for row in (await session.execute(query)).mappings()]


async def place(session: AsyncSession, ident: UUID, at: datetime) -> datetime:
    """The start by the broker's clock, as whoever asked first found it."""
    query = text(
        "UPDATE direct SET placed_at = coalesce(placed_at, :at) WHERE subscription = :id "
        "RETURNING placed_at"
    )
    found = await session.scalar(query, {"id": ident, "at": at})
    return at if found is None else found
