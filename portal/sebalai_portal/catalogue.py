"""What the catalogue pages show, read over the bus and kept for seconds."""

from __future__ import annotations

from datetime import timedelta

from sebalai_portal.bus import Bus
from sebalai_portal.cache import Cache
from sebalai_portal.catalogue_readings import ApiPage, Dataset, DatasetPage

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
