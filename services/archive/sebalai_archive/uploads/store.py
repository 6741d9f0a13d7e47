"""SQL of uploads; an upload belongs to the application that began it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.uploads.model import Upload


def visible_to(caller: Caller) -> Select[Upload]:
    return select(Upload).where(
        Upload.agency == (caller.agency or ""), Upload.subject == (caller.subject or "")
    )


async def find(session: AsyncSession, caller: Caller, upload_id: UUID) -> Upload | None:
    return await session.scalar(visible_to(caller).where(Upload.id == upload_id))


async def find_begun(session: AsyncSession, caller: Caller, key: str) -> Upload | None:
    return await session.scalar(visible_to(caller).where(Upload.begun_key == key))


async def count_open(session: AsyncSession, caller: Caller, now: datetime) -> int:
    query = visible_to(caller).where(Upload.finished_sha256.is_(None), Upload.expires_at > now)
    return await session.scalar(select(func.count()).select_from(query.subquery())) or 0


async def remove(session: AsyncSession, upload_id: UUID) -> None:
    await session.execute(delete(Upload).where(Upload.id == upload_id))


async def remove_expired(session: AsyncSession, now: datetime, limit: int) -> Sequence[UUID]:
    """Forgets up to `limit` uploads past their time; answers which."""
    old = select(Upload.id).where(Upload.expires_at <= now).limit(limit)
    found = await session.scalars(delete(Upload).where(Upload.id.in_(old)).returning(Upload.id))
    return found.all()
