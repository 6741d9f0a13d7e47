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

from sebalai_portal.bus import Bus
from sebalai_portal.cache import Cache
from sebalai_portal.failures import Gone, NotFound, Reason, Unavailable
from sebalai_portal.readings import (
    Agency,
    AgencyPage,
    Call,
    CallPage,
    CallTrace,
    Service,
    ServicePage,
    SignatureReport,
    Verification,
)

DIRECTORY_FRESH = timedelta(seconds=10)
CALLS_FRESH = timedelta(seconds=2)
CALL_FRESH = timedelta(seconds=10)
FIRST_PAGE = {"limit": 100}
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


@dataclass(frozen=True, slots=True)
class Verified:
    """Without a report the letter is destroyed, or `failure` says why there is none now."""

    letter: Verification
    report: SignatureReport | None = None
    failure: Unavailable | None = None


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

    async def call(self, message_id: UUID) -> CallTrace:
        """Raises: Unavailable, NotFound."""

        async def fetch() -> CallTrace:
            return await self._bus.read("calls", f"/v1/calls/{message_id}", CallTrace)

        return await self._cache.get(f"call {message_id}", CALL_FRESH, fetch)

    async def verification(self, code: str) -> Verified:
        """A signed letter by the code in its QR; a report that cannot be had is named, and the
        letter is shown without. Raises: Unavailable, NotFound.
        """

        async def fetch() -> Verified:
            path = f"/v1/verifications/{code}"
            letter = await self._bus.read("verifications", path, Verification)
            if letter.is_destroyed:
                return Verified(letter)
            try:
                report = await self._bus.read("verifications", f"{path}/signature", SignatureReport)
            except Gone:  # destroyed in the meantime
                ended = {"is_destroyed": True, "content": None}
                return Verified(letter.model_copy(update=ended))
            except Unavailable as failure:
                return Verified(letter, failure=failure)
            return Verified(letter, report)

        return await self._cache.get(f"verification {code}", CALL_FRESH, fetch)

    async def _calls(self, *, with_own_calls: bool) -> Part[Call]:
        query: dict[str, str | int] = {"limit": CALLS_SHOWN}
        if not with_own_calls:
            query["without_consumer"] = self._bus.application

        async def fetch() -> CallPage:
            return await self._bus.read("calls", "/v1/calls", CallPage, query)

        read = await self._cache.get(f"calls {with_own_calls}", CALLS_FRESH, fetch)
        return Part(read.items[:CALLS_SHOWN], read.next is not None)

    async def _services(self) -> Part[Service]:
        read = await self._cache.get("services", DIRECTORY_FRESH, self._read_services)
        return Part(read.items[:SERVICES_SHOWN], _goes_on(read, SERVICES_SHOWN))

    async def _read_services(self) -> ServicePage:
        return await self._bus.read("services", "/v1/services", ServicePage, FIRST_PAGE)

    async def _agencies(self) -> Part[Agency]:
        read = await self._cache.get("agencies", DIRECTORY_FRESH, self._read_agencies)
        return Part(read.items[:AGENCIES_SHOWN], _goes_on(read, AGENCIES_SHOWN))

    async def _read_agencies(self) -> AgencyPage:
        return await self._bus.read("agencies", "/v1/agencies", AgencyPage, FIRST_PAGE)


def _goes_on(read: AgencyPage | ServicePage, shown: int) -> bool:
    return read.next is not None or len(read.items) > shown


async def _part(reading: Awaitable[Part[Row]]) -> Part[Row]:
    try:
        return await reading
    except Unavailable as failure:
        return Part(failure=failure)
    except NotFound:
        return Part(failure=Unavailable(Reason.FAULT, "the interface answered 404"))
