"""Decisions about the API catalogue: what is in it, and what a fact of exchange changes."""

from collections.abc import Sequence
from typing import Any

from sebalai_shared.caller import Caller
from sebalai_shared.events import Event
from sebalai_shared.problems import NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.apis import events, store
from sebalai_services_catalog.apis.linkset import Listed
from sebalai_services_catalog.apis.model import Kind, ListedApi
from sebalai_services_catalog.apis.store import ApiFilter, BusUse

__all__ = ["ApiFilter", "BusUse", "Listed"]

STATES = {events.PUBLISHED: "published", events.RETIRED: "retired"}


class ApiUnknown(NotFound):
    slug, title = "api-unknown", "There is no such interface or event type"


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


async def list_apis(
    session: AsyncSession, *, wanted: ApiFilter, after: tuple[str, str] | None, limit: int
) -> Sequence[ListedApi]:
    return await store.listed(session, wanted, after, limit)


async def find_api(session: AsyncSession, *, kind: Kind, name: str) -> ListedApi:
    """The retired too. Raises: ApiUnknown."""
    found = await store.find_listed(session, kind, name)
    if found is None:
        raise ApiUnknown("See /v1/apis; what was published now is listed within a minute.")
    return found


async def keep_register(session: AsyncSession, *, rows: Sequence[dict[str, Any]]) -> None:
    await store.keep_listed(session, rows)


async def use(session: AsyncSession) -> BusUse:
    return await store.use(session)
