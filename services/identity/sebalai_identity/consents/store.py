"""SQL of consents."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sebalai_shared.statements import fetch
from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.consents.model import Consent

LISTED_MAX = 500


def _standing(subject: UUID, at: datetime) -> Select[Consent]:
    return select(Consent).where(
        Consent.subject == subject, Consent.withdrawn_at.is_(None), Consent.expires_at > at
    )


_AGREED = (
    "SELECT scopes FROM consent WHERE subject = $1 AND client_id = $2 AND withdrawn_at IS NULL"
    " AND expires_at > $3"
)


async def agreed(
    session: AsyncSession, subject: UUID, client_id: UUID, at: datetime
) -> frozenset[str]:
    """Every scope of any standing consent."""
    rows = await fetch(session, _AGREED, subject, client_id, at)
    return frozenset(scope for row in rows for scope in row.scopes)


async def hold(
    session: AsyncSession, subject: UUID, client_id: UUID, at: datetime
) -> frozenset[str]:
    """The same, and nobody withdraws one of them until this transaction is over."""
    rows = await fetch(session, f"{_AGREED} FOR SHARE", subject, client_id, at)
    return frozenset(scope for row in rows for scope in row.scopes)


async def all_standing(session: AsyncSession, subject: UUID, at: datetime) -> Sequence[Consent]:
    query = _standing(subject, at).order_by(Consent.granted_at.desc(), Consent.id)
    return (await session.scalars(query.limit(LISTED_MAX))).all()


async def withdraw(session: AsyncSession, subject: UUID, client_id: UUID, at: datetime) -> int:
    """How many acts of agreement this took back."""
    change = (
        update(Consent)
        .where(
            Consent.subject == subject,
            Consent.client_id == client_id,
            Consent.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=at)
        .returning(Consent.id)
    )
    return len((await session.scalars(change)).all())
