"""SQL of the exchange with the national application; a caller's reads begin at `visible_to`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.national.model import NationalCursor, NationalItem, State
from sebalai_archive.paging import PageAsk

INBOX = "inbox"


@dataclass(frozen=True, slots=True)
class Figures:
    """`oldest` is when the longest waiting letter was queued."""

    states: dict[State, int]
    oldest: datetime | None
    last_done: datetime | None
    after: str | None
    read_at: datetime | None


def visible_to(caller: Caller) -> Select[NationalItem]:
    query = select(NationalItem)
    return query if caller.is_operator else query.where(NationalItem.agency == caller.agency)


async def page(
    session: AsyncSession, caller: Caller, state: State | None, ask: PageAsk
) -> Sequence[NationalItem]:
    query = visible_to(caller).order_by(NationalItem.id.desc()).limit(ask.limit + 1)
    if state is not None:
        query = query.where(NationalItem.state == state)
    if ask.after is not None:
        query = query.where(NationalItem.id < ask.after)
    return (await session.scalars(query)).all()


async def lock(session: AsyncSession, caller: Caller, item_id: UUID) -> NationalItem | None:
    query = visible_to(caller).where(NationalItem.id == item_id)
    return await session.scalar(query.with_for_update())


async def unqueued(
    session: AsyncSession, agencies: Sequence[str], classes: Sequence[str], limit: int
) -> Sequence[Any]:
    """Sent letters of these agencies and classes that stand in no queue, the oldest first."""
    rows = await session.execute(
        text("""
            SELECT l.id, l.agency, l.content_sha256 FROM outgoing_letter l
            WHERE l.state = 'sent' AND l.agency = ANY(:agencies)
              AND l.security_class = ANY(:classes)
              AND NOT EXISTS (SELECT 1 FROM national_item n WHERE n.outgoing_id = l.id)
            ORDER BY l.id LIMIT :limit
        """),
        {"agencies": list(agencies), "classes": list(classes), "limit": limit},
    )
    return rows.all()


async def letter(session: AsyncSession, letter_id: UUID) -> Any:
    """What of an outgoing letter goes out."""
    rows = await session.execute(
        text("""
            SELECT id, agency, number_text, letter_date, subject, letter_type, urgency,
              security_class, classification_code, addressees, content_sha256, content_bytes
            FROM outgoing_letter WHERE id = :id
        """),
        {"id": letter_id},
    )
    return rows.one()


async def add(session: AsyncSession, values: dict[str, Any]) -> None:
    """A letter that stands in the queue already stays as it is."""
    await session.execute(insert(NationalItem).values(values).on_conflict_do_nothing())


async def of_national(session: AsyncSession, national_id: str) -> NationalItem | None:
    query = select(NationalItem).where(
        NationalItem.national_id == national_id, NationalItem.direction == "in"
    )
    return await session.scalar(query.with_for_update())


async def came_before(session: AsyncSession, agency: str, number: str, sha256: str) -> UUID | None:
    """The agency's letter of that number and content, which came by another way."""
    return await session.scalar(
        text("""
            SELECT id FROM incoming_letter WHERE agency = :agency AND letter_number = :number
              AND content_sha256 = :sha256 ORDER BY id LIMIT 1
        """),
        {"agency": agency, "number": number, "sha256": sha256},
    )


async def due(session: AsyncSession, now: datetime, limit: int) -> Sequence[NationalItem]:
    query = select(NationalItem).where(NationalItem.state == "waiting", NationalItem.next_at <= now)
    return (await session.scalars(query.order_by(NationalItem.next_at).limit(limit))).all()


async def lock_waiting(session: AsyncSession, item_id: UUID) -> NationalItem | None:
    """None when another worker, or the operator, was faster."""
    query = select(NationalItem).where(NationalItem.id == item_id, NationalItem.state == "waiting")
    return await session.scalar(query.with_for_update())


async def cursor(session: AsyncSession) -> str:
    return (
        await session.scalar(select(NationalCursor.after).where(NationalCursor.name == INBOX)) or ""
    )


async def move_cursor(session: AsyncSession, after: str, at: datetime) -> None:
    await session.merge(NationalCursor(name=INBOX, after=after, moved_at=at))


async def figures(session: AsyncSession) -> Figures:
    item = NationalItem
    rows = await session.execute(select(item.state, func.count()).group_by(item.state))
    oldest = select(func.min(item.created_at)).where(item.state == "waiting")
    last = select(func.max(item.changed_at)).where(item.state == "done")
    read = await session.get(NationalCursor, INBOX)
    return Figures(
        states={row[0]: row[1] for row in rows},
        oldest=await session.scalar(oldest),
        last_done=await session.scalar(last),
        after=read and read.after,
        read_at=read and read.moved_at,
    )
