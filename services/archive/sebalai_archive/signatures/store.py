"""SQL of signed files. Whoever asks has opened the record, or is the archive's own worker."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import column, table

from sebalai_archive.signatures.model import Signature, SignatureRevision

_BURIED = table("tombstone", column("record_id"))


async def next_due(session: AsyncSession, now: datetime) -> Signature | None:
    """The longest due of a record that still has its content, held until the transaction ends."""
    buried = exists().where(_BURIED.c.record_id == Signature.record_id)
    query = select(Signature).where(Signature.due_at <= now, ~buried).order_by(Signature.due_at)
    return await session.scalar(query.limit(1).with_for_update(skip_locked=True, of=Signature))


async def find(session: AsyncSession, record_id: UUID) -> Signature | None:
    return await session.get(Signature, record_id)


async def lock(session: AsyncSession, record_id: UUID) -> Signature | None:
    """Held until the transaction ends; None too when the record was buried."""
    buried = exists().where(_BURIED.c.record_id == Signature.record_id)
    query = select(Signature).where(Signature.record_id == record_id, ~buried)
    return await session.scalar(
        query.with_for_update(of=Signature).execution_options(populate_existing=True)
    )


async def revision(session: AsyncSession, record_id: UUID, place: int) -> SignatureRevision | None:
    return await session.get(SignatureRevision, (record_id, place))


async def revisions(session: AsyncSession, record_id: UUID) -> Sequence[SignatureRevision]:
    query = select(SignatureRevision).where(SignatureRevision.record_id == record_id)
    return (await session.scalars(query.order_by(SignatureRevision.place))).all()
