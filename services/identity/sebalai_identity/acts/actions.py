"""The audit trail: who did what to whom, in the transaction that did it.

Owns the trail and its reading. Does not own what an act means; the slice that acts says it.
"""

from collections.abc import Sequence
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.events import Event
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acts import store
from sebalai_identity.acts.model import Act
from sebalai_identity.acts.store import ActFilter
from sebalai_identity.desk import Desk

__all__ = ["ActFilter"]

SOURCE = "urn:sebalai:identity"


async def tell(
    session: AsyncSession, desk: Desk, *, kind: str, subject: str, data: dict[str, object]
) -> Event:
    """Publishes the fact `kind` with who made it true (`by`), and writes the act.

    Ids and codes only: every `identity.*` event is a leaf of the ledger and is kept for ever.
    """
    event = Event(kind, SOURCE, subject, {**data, "by": desk.actor}, desk.now)
    await publish(session, event)
    session.add(_act(desk, kind, subject, event.id))
    await session.flush()
    return event


async def note(session: AsyncSession, desk: Desk, *, act: str, subject: str) -> None:
    """Writes an act that changed nothing, such as a search for somebody by NIK."""
    session.add(_act(desk, act, subject, None))
    await session.flush()


def _act(desk: Desk, act: str, subject: str, event_id: UUID | None) -> Act:
    return Act(
        id=uuid7(),
        at=desk.now,
        actor_kind=desk.caller.kind,
        actor=desk.actor,
        agency=desk.caller.agency,
        act=act,
        subject=subject,
        event_id=event_id,
    )


async def list_acts(
    session: AsyncSession, *, caller: Caller, wanted: ActFilter, after: UUID | None, limit: int
) -> Sequence[Act]:
    return await store.page(session, caller, wanted, after, limit)
