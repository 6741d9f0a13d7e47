"""SQL of evidence types and consents."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, false, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.evidence.machine import OPEN
from sebalai_services_catalog.evidence.model import Consent, ConsentAct, EvidenceType

ACTS_MAX = 100
CONSENTS_MAX = 100
TYPES_MAX = 500
MISSES = ("no_match", "other_person")


def visible_to(caller: Caller) -> Select[Consent]:
    """Who gave it, the agency that holds, and the agency that decides."""
    if caller.is_operator:
        return select(Consent)
    own = (Consent.given_by == caller.party) if caller.party else false()
    if caller.agency is None:
        return select(Consent).where(own)
    sides = or_(Consent.holder == caller.agency, Consent.agency == caller.agency)
    return select(Consent).where(or_(own, sides))


async def page(
    session: AsyncSession, caller: Caller, after: UUID | None, limit: int
) -> Sequence[Consent]:
    query = visible_to(caller).order_by(Consent.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(Consent.id < after)
    return (await session.scalars(query)).all()


async def find(session: AsyncSession, caller: Caller, key: UUID) -> Consent | None:
    return (await session.scalars(visible_to(caller).where(Consent.id == key))).one_or_none()


async def hold(session: AsyncSession, caller: Caller, key: UUID) -> Consent | None:
    """Locked to the transaction's end; lock the request first where both are needed."""
    query = visible_to(caller).where(Consent.id == key).with_for_update()
    return (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def of_request(session: AsyncSession, request_id: UUID) -> Sequence[Consent]:
    """The latest first."""
    query = select(Consent).where(Consent.request_id == request_id).order_by(Consent.id.desc())
    return (await session.scalars(query.limit(CONSENTS_MAX))).all()


async def claim(session: AsyncSession, values: dict[str, Any]) -> Consent | None:
    """Null when the request has an open consent for this evidence."""
    query = insert(Consent).values(values).on_conflict_do_nothing()
    return (await session.scalars(query.returning(Consent))).one_or_none()


async def acts(session: AsyncSession, key: UUID) -> Sequence[ConsentAct]:
    query = select(ConsentAct).where(ConsentAct.consent_id == key).order_by(ConsentAct.id)
    return (await session.scalars(query.limit(ACTS_MAX))).all()


async def misses_of(session: AsyncSession, actor: str, since: datetime) -> int:
    query = select(func.count()).where(
        ConsentAct.actor == actor, ConsentAct.at >= since, ConsentAct.outcome.in_(MISSES)
    )
    return await session.scalar(query) or 0


async def past_end(session: AsyncSession, now: datetime, limit: int) -> Sequence[Consent]:
    """Open consents whose time is over, and previews nobody took."""
    query = (
        select(Consent)
        .where(Consent.state.in_(OPEN))
        .where(or_(Consent.valid_until <= now, Consent.preview_until <= now))
        .order_by(Consent.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(query.execution_options(populate_existing=True))).all()


async def types(session: AsyncSession) -> Sequence[EvidenceType]:
    query = select(EvidenceType).order_by(EvidenceType.position)
    return (await session.scalars(query.limit(TYPES_MAX))).all()


async def find_type(session: AsyncSession, code: str) -> EvidenceType | None:
    return await session.get(EvidenceType, code)


async def keep_types(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    query = insert(EvidenceType)
    changed = {name: query.excluded[name] for name in rows[0] if name != "code"}
    await session.execute(
        query.on_conflict_do_update(index_elements=["code"], set_=changed), list(rows)
    )
    await session.flush()


async def count_given(session: AsyncSession, since: datetime, until: datetime) -> int:
    query = select(func.count()).where(Consent.given_at >= since, Consent.given_at < until)
    return await session.scalar(query) or 0
