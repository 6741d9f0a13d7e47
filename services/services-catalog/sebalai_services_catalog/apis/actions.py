"""Decisions about the API catalogue: what is in it, and what a fact of exchange changes."""

from collections.abc import Sequence

from sebalai_shared.caller import Caller
from sebalai_shared.events import Event
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.apis import events, store
from sebalai_services_catalog.apis.linkset import Listed

__all__ = ["Listed"]

STATES = {events.PUBLISHED: "published", events.RETIRED: "retired"}


async def list_interfaces(session: AsyncSession, *, caller: Caller) -> Sequence[Listed]:
    rows = await store.published(session, caller)
    return [Listed(str(row.id), row.name) for row in rows]


async def take_interface(session: AsyncSession, *, event: Event) -> None:
    """Raises `ValueError` when the fact lacks what we read, `KeyError` for another type."""
    state = STATES[event.type]
    fact = events.InterfaceChanged.model_validate(event.data)
    await store.keep(
        session,
        {
            "id": fact.interface_id,
            "name": fact.interface,
            "agency": fact.agency,
            "contract_sha256": fact.contract_sha256,
            "state": state,
            "seen_at": event.time,
        },
    )
