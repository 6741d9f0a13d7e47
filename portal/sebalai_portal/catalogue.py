"""What the catalogue pages show, read over the bus and kept for seconds."""

from __future__ import annotations

from datetime import timedelta

from sebalai_portal.bus import Bus
from sebalai_portal.cache import Cache
from sebalai_portal.catalogue_readings import ApiPage, Dataset, DatasetPage
from sebalai_portal.service_readings import ListedPage, Places, ServiceFull, Shown, Sought

FRESH = timedelta(seconds=10)
ROWS = 20
SERVICES = "services"
"""The interface of the bus that the whole catalogue answers on."""


class Catalogue:
    def __init__(self, bus: Bus, cache: Cache) -> None:
        self._bus, self._cache = bus, cache

    async def datasets(self, words: str, cursor: str | None) -> DatasetPage:
        """Raises: Unavailable, NotFound."""

        async def fetch() -> DatasetPage:
            return await self._bus.read(SERVICES, "/v1/datasets", DatasetPage, query)

        query = _query(words, cursor)
        return await self._cache.get(f"datasets {query}", FRESH, fetch)

    async def dataset(self, slug: str) -> Dataset:
        """Raises: Unavailable, NotFound."""

        async def fetch() -> Dataset:
            return await self._bus.read(SERVICES, f"/v1/datasets/{slug}", Dataset)

        return await self._cache.get(f"dataset {slug}", FRESH, fetch)

    async def services(self, words: str, place: str | None, cursor: str | None) -> Sought:
        """What fits the words best, or without any all by name. Raises: Unavailable, NotFound."""

        async def fetch() -> ListedPage:
            return await self._bus.read(SERVICES, path, ListedPage, query)

        path = "/v1/search" if words else "/v1/services"
        query = _query(words, cursor if not words else None)
        if place:
            query["place"] = place
        page = await self._cache.get(f"services {path} {query}", FRESH, fetch)
        return Sought(page=page, places=await self.places())

    async def service(self, slug: str) -> Shown:
        """Raises: Unavailable, NotFound."""

        async def fetch() -> ServiceFull:
            return await self._bus.read(SERVICES, f"/v1/services/{slug}", ServiceFull)

        service = await self._cache.get(f"service {slug}", FRESH, fetch)
        return Shown(service=service, places=await self.places())

    async def places(self) -> Places:
        """Raises: Unavailable, NotFound."""

        async def fetch() -> Places:
            return await self._bus.read(SERVICES, "/v1/places", Places)

        return await self._cache.get("places", FRESH, fetch)

    async def apis(self, words: str, cursor: str | None) -> ApiPage:
        """Raises: Unavailable, NotFound."""

        async def fetch() -> ApiPage:
            return await self._bus.read(SERVICES, "/v1/apis", ApiPage, query)

        query = _query(words, cursor)
        return await self._cache.get(f"apis {query}", FRESH, fetch)


def _query(words: str, cursor: str | None) -> dict[str, str | int]:
    query: dict[str, str | int] = {"limit": ROWS}
    if words:
        query["q"] = words
    if cursor:
        query["cursor"] = cursor
    return query
