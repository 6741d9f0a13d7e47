"""SQL of packages: which records came in one, by their identifier where it was made."""

from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

IMPORT_LOCK = 7_250_015


async def lock_agency(session: AsyncSession, agency: str) -> None:
    """One import of an agency at a time: two of one package make its drafts once."""
    await session.execute(select(func.pg_advisory_xact_lock(IMPORT_LOCK, func.hashtext(agency))))


async def imported(session: AsyncSession, agency: str, source: UUID) -> tuple[UUID, str] | None:
    """The draft that came of it, and the digest it came with."""
    found = await session.execute(
        text("SELECT record_id, sha256 FROM imported WHERE agency = :agency AND source = :source"),
        {"agency": agency, "source": source},
    )
    row = found.one_or_none()
    return (row.record_id, row.sha256) if row else None


async def keep(
    session: AsyncSession, agency: str, source: UUID, record_id: UUID, sha256: str
) -> None:
    await session.execute(
        text("""
            INSERT INTO imported (agency, source, record_id, sha256, at)
            VALUES (:agency, :source, :record_id, :sha256, now())
        """),
        {"agency": agency, "source": source, "record_id": record_id, "sha256": sha256},
    )
