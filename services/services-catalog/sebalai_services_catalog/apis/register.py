"""What exchange lists publicly, read through the gateway as anybody reads it: without a token."""

from collections.abc import AsyncIterator, Iterable
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel
from sebalai_shared import http
from sebalai_shared.addresses import Reach

from sebalai_services_catalog.apis.model import Lifecycle

EXCHANGE = "/api/exchange"
ROWS_A_PAGE = 50
PAGES_MAX = 200
READ_SECONDS = 10.0

Row = TypeVar("Row", bound=BaseModel)


class ListIncomplete(Exception):
    """A list could not be read to its end, so nothing may be taken for retired."""


class Use(BaseModel):
    interface: str
    calls: int
    consumers: int
    agencies: int
    last_day: date


class ListedInterface(BaseModel):
    id: UUID
    name: str
    title: str
    provider: str
    agency: str
    deprecated_at: datetime | None
    sunset_at: datetime | None
    successor: str | None


class ListedTopic(BaseModel):
    type: str
    owner: str
    application: str | None
    title: str
    description: str
    state: Lifecycle
    successor: str | None
    retires_at: datetime | None
    data_categories: list[str]


class _Page(BaseModel, Generic[Row]):
    items: list[Row]
    next: str | None = None


def exchange_client(gateway_url: str) -> http.Client:
    """Close it at the end."""
    host = urlsplit(gateway_url).hostname or ""
    return http.client(Reach.parse([host]), base_url=gateway_url, read_seconds=READ_SECONDS)


async def read_register(client: http.Client) -> list[dict[str, Any]]:
    """Rows of `listed_api`. Raises: http.Error, ValueError, ListIncomplete."""
    uses = {one.interface: one async for one in _all(client, "/v1/uses", Use)}
    interfaces = [one async for one in _all(client, "/v1/interfaces", ListedInterface)]
    topics = [one async for one in _all(client, "/v1/topics", ListedTopic)]
    return [*_interfaces(interfaces, uses), *map(_topic, topics)]


async def _all(client: http.Client, path: str, shape: type[Row]) -> AsyncIterator[Row]:
    cursor: str | None = None
    for _ in range(PAGES_MAX):
        query = {"limit": str(ROWS_A_PAGE)} | ({"cursor": cursor} if cursor else {})
        answer = await client.fetch(EXCHANGE + path, params=query)
        answer.raise_for_status()
        read = _Page[shape].model_validate_json(answer.content)
        for row in read.items:
            yield row
        cursor = read.next
        if cursor is None:
            return
    raise ListIncomplete(f"{path} has more than {PAGES_MAX * ROWS_A_PAGE} rows")


def _interfaces(rows: Iterable[ListedInterface], uses: dict[str, Use]) -> Iterable[dict[str, Any]]:
    for one in rows:
        use = uses.get(one.name)
        yield {
            "kind": "interface", "name": one.name, "agency": one.agency, "provider": one.provider,
            "title": one.title, "description": "",
            "lifecycle": "deprecated" if one.deprecated_at else "active",
            "deprecated_at": one.deprecated_at, "ends_at": one.sunset_at,
            "successor": one.successor, "data_categories": list[str](),
            "contract": f"{EXCHANGE}/v1/interfaces/{one.id}/contract",
            "calls": use.calls if use else 0, "consumers": use.consumers if use else 0,
            "agencies": use.agencies if use else 0, "last_used_on": use.last_day if use else None,
        }  # fmt: skip


def _topic(one: ListedTopic) -> dict[str, Any]:
    return {
        "kind": "event", "name": one.type, "agency": one.owner, "provider": one.application,
        "title": one.title, "description": one.description, "lifecycle": one.state,
        "deprecated_at": None, "ends_at": one.retires_at, "successor": one.successor,
        "data_categories": one.data_categories, "contract": f"{EXCHANGE}/v1/topics/{one.type}",
        "calls": 0, "consumers": 0, "agencies": 0, "last_used_on": None,
    }  # fmt: skip
