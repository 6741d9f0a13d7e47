"""SQL of known agreements; who gives what to whom is public, the data are not."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.processing.model import KnownAgreement

FINAL = ("revoked", "replaced")
IN_FORCE_MAX = 5_000


def visible_to(caller: Caller) -> Select[KnownAgreement]:  # noqa: ARG001 - public
    return select(KnownAgreement)


async def keep(session: AsyncSession, values: dict[str, Any]) -> None:
    """Takes the fact unless a later one was taken before it. What has ended stays ended, whatever
    the clocks said: no fact takes an end back.
    """
    query = insert(KnownAgreement).values(values)
    changed = {name: query.excluded[name] for name in values if name != "id"}
    is_end = query.excluded.state.in_(FINAL)
    is_later = and_(
        KnownAgreement.state.not_in(FINAL), KnownAgreement.seen_at <= query.excluded.seen_at
    )
    await session.execute(
        query.on_conflict_do_update(index_elements=["id"], set_=changed, where=is_end | is_later)
    )


def _in_force(now: datetime) -> ColumnElement[bool]:
    return and_(
        KnownAgreement.state == "granted",
        KnownAgreement.valid_from <= now,
        KnownAgreement.valid_until > now,
    )


async def in_force(
    session: AsyncSession, caller: Caller, now: datetime, agency: str | None = None
) -> Sequence[KnownAgreement]:
    """Up to IN_FORCE_MAX, by interface and consumer; `agency` gives the data."""
    query = visible_to(caller).where(_in_force(now))
    if agency is not None:
        query = query.where(KnownAgreement.owner == agency)
    order = (KnownAgreement.interface, KnownAgreement.consumer, KnownAgreement.id)
    return (await session.scalars(query.order_by(*order).limit(IN_FORCE_MAX))).all()


async def page(
    session: AsyncSession, caller: Caller, now: datetime, after: UUID | None, limit: int
) -> Sequence[KnownAgreement]:
    """Up to `limit + 1` in force, the latest first."""
    query = visible_to(caller).where(_in_force(now))
    if after is not None:
        query = query.where(KnownAgreement.id < after)
    return (await session.scalars(query.order_by(KnownAgreement.id.desc()).limit(limit + 1))).all()


async def count_in_force(session: AsyncSession, now: datetime) -> int:
    query = select(func.count()).select_from(KnownAgreement).where(_in_force(now))
    return (await session.scalar(query)) or 0
