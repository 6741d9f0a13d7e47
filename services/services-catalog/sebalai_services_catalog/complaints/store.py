"""SQL of complaints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.complaints.access import DESK, WRITE, is_desk
from sebalai_services_catalog.complaints.model import Complaint, ComplaintAct

ACTS_MAX = 200


@dataclass(frozen=True, slots=True)
class Handled:
    """`in_time`: answered, and no limit of a stage was passed."""

    received: int
    in_time: int


def visible_to(caller: Caller) -> Select[Complaint]:
    """The desk sees all, an agency what was forwarded to it, a reporter their own."""
    if is_desk(caller):
        return select(Complaint)
    own = (Complaint.reporter == caller.party) if caller.party else false()
    if caller.agency is None or caller.agency == DESK or not caller.has_scope(WRITE):
        return select(Complaint).where(own)
    forwarded = (Complaint.agency == caller.agency) & Complaint.forwarded_at.is_not(None)
    return select(Complaint).where(or_(own, forwarded))


async def page(
    session: AsyncSession, caller: Caller, state: str | None, after: UUID | None, limit: int
) -> Sequence[Complaint]:
    query = visible_to(caller).order_by(Complaint.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(Complaint.state == state)
    if after is not None:
        query = query.where(Complaint.id < after)
    return (await session.scalars(query)).all()


async def find(session: AsyncSession, key: UUID) -> Complaint | None:
    """Who may read it is decided in `access`: a reporter without login has only a code."""
    return await session.get(Complaint, key)


async def hold(session: AsyncSession, key: UUID) -> Complaint | None:
    query = select(Complaint).where(Complaint.id == key).with_for_update()
    return (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def by_ticket(session: AsyncSession, ticket: str) -> Complaint | None:
    query = select(Complaint).where(Complaint.ticket == ticket)
    return (await session.scalars(query)).one_or_none()


async def acts(session: AsyncSession, key: UUID) -> Sequence[ComplaintAct]:
    query = select(ComplaintAct).where(ComplaintAct.complaint_id == key).order_by(ComplaintAct.id)
    return (await session.scalars(query.limit(ACTS_MAX))).all()


async def past_deadline(session: AsyncSession, now: datetime, limit: int) -> Sequence[Complaint]:
    """Complaints whose stage's limit passed untold, and answered ones nobody answered back."""
    query = (
        select(Complaint)
        .where(Complaint.deadline_at <= now)
        .where(
            or_(
                Complaint.state == "answered",
                Complaint.breached_stage.is_distinct_from(Complaint.state),
            )
        )
        .order_by(Complaint.deadline_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(query)).all()


async def before_revision(session: AsyncSession, revision: int, limit: int) -> Sequence[Complaint]:
    """Complaints in a stage with a limit that an earlier calendar gave."""
    query = (
        select(Complaint)
        .where(Complaint.deadline_at.is_not(None), Complaint.calendar_revision < revision)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(query.execution_options(populate_existing=True))).all()


async def unsent(session: AsyncSession, limit: int) -> Sequence[Complaint]:
    """What LAPOR! does not know yet; secret complaints stay here."""
    query = (
        select(Complaint)
        .where(Complaint.lapor_revision < Complaint.revision, ~Complaint.secret)
        .order_by(Complaint.id)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def count_by_service(
    session: AsyncSession, since: datetime, until: datetime
) -> dict[str, int]:
    query = (
        select(Complaint.service, func.count())
        .where(Complaint.service.is_not(None))
        .where(Complaint.received_at >= since, Complaint.received_at < until)
        .group_by(Complaint.service)
    )
    return {str(service): count for service, count in await session.execute(query)}


async def count_by_agency(
    session: AsyncSession, since: datetime, until: datetime
) -> dict[tuple[str, str], int]:
    """(agency, category) → count; complaints that no agency has yet stand under a dash."""
    agency = func.coalesce(Complaint.agency, "-")
    query = (
        select(agency, Complaint.category, func.count())
        .where(Complaint.received_at >= since, Complaint.received_at < until)
        .group_by(agency, Complaint.category)
    )
    rows = await session.execute(query)
    return {(name, category): count for name, category, count in rows}


async def count_handled(session: AsyncSession, since: datetime, until: datetime) -> Handled:
    in_time = func.count().filter(
        Complaint.answered_at.is_not(None), Complaint.breached_stage.is_(None)
    )
    query = select(func.count(), in_time).where(
        Complaint.received_at >= since, Complaint.received_at < until
    )
    received, kept = (await session.execute(query)).one()
    return Handled(received, kept)
