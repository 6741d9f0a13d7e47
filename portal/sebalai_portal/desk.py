"""What the pages show, read part by part: a part that fails is named and the others stand.
Decides what is hidden (the portal's own calls) and how long an answer stays fresh.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar
from uuid import UUID

from sebalai_portal.bus import PURPOSE, Bus
from sebalai_portal.cache import Cache
from sebalai_portal.failures import NotFound, Reason, Unavailable
from sebalai_portal.readings import Agency, AgencyPage, Call, CallPage, Service, ServicePage

DIRECTORY_FRESH = timedelta(seconds=10)
CALLS_FRESH = timedelta(seconds=2)
CALL_FRESH = timedelta(seconds=10)
ROWS_A_READ = 100
CALL_READS_LIMIT = 3
CALLS_SHOWN = 20
SERVICES_SHOWN = 60
AGENCIES_SHOWN = 100

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Part(Generic[Row]):
    """Rows to show, or the failure that stands in their place; `more` says the list goes on."""

    rows: Sequence[Row] = ()
    more: bool = False
    failure: Unavailable | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    calls: Part[Call]
    services: Part[Service]
    agencies: Part[Agency]


class Desk:
    def __init__(self, bus: Bus, cache: Cache) -> None:
        self._bus, self._cache = bus, cache

    async def overview(self, *, with_own_calls: bool) -> Overview:
        calls, services, agencies = await asyncio.gather(
            _part(self._calls(with_own_calls=with_own_calls)),
            _part(self._services()),
            _part(self._agencies()),
        )
        return Overview(calls, services, agencies)

    async def call(self, message_id: UUID) -> Call:
        """Raises: Unavailable, NotFound."""

        async def fetch() -> Call:
            return await self._bus.read("calls", f"/v1/calls/{message_id}", Call)

        return await self._cache.get(f"call {message_id}", CALL_FRESH, fetch)

    async def _calls(self, *, with_own_calls: bool) -> Part[Call]:
        rows, more = await self._cache.get(
            f"calls {with_own_calls}", CALLS_FRESH, lambda: self._read_calls(with_own_calls)
        )
        return Part(rows, more)

    async def _read_calls(self, with_own_calls: bool) -> tuple[list[Call], bool]:  # noqa: FBT001
        shown: list[Call] = []
        after: str | None = None
        for _ in range(CALL_READS_LIMIT):
            read = await self._bus.read("calls", "/v1/calls", CallPage, _page(after))
            shown += [call for call in read.items if with_own_calls or call.purpose != PURPOSE]
            after = read.next
            if after is None or len(shown) >= CALLS_SHOWN:
                break
        return shown[:CALLS_SHOWN], after is not None or len(shown) > CALLS_SHOWN

    async def _services(self) -> Part[Service]:
        read = await self._cache.get("services", DIRECTORY_FRESH, self._read_services)
        return Part(read.items[:SERVICES_SHOWN], _goes_on(read, SERVICES_SHOWN))

    async def _read_services(self) -> ServicePage:
        return await self._bus.read("services", "/v1/services", ServicePage, _page(None))

    async def _agencies(self) -> Part[Agency]:
        read = await self._cache.get("agencies", DIRECTORY_FRESH, self._read_agencies)
        return Part(read.items[:AGENCIES_SHOWN], _goes_on(read, AGENCIES_SHOWN))

    async def _read_agencies(self) -> AgencyPage:
        return await self._bus.read("agencies", "/v1/agencies", AgencyPage, _page(None))


def _page(after: str | None) -> dict[str, str | int]:
    first: dict[str, str | int] = {"limit": ROWS_A_READ}
    return first if after is None else first | {"cursor": after}


def _goes_on(read: AgencyPage | ServicePage, shown: int) -> bool:
    return read.next is not None or len(read.items) > shown


async def _part(reading: Awaitable[Part[Row]]) -> Part[Row]:
    try:
        return await reading
    except Unavailable as failure:
        return Part(failure=failure)
    except NotFound:
        return Part(failure=Unavailable(Reason.FAULT, "the interface answered 404"))
