"""The contracts this worker checks calls by: fetched from exchange once, kept on disk and here.

A contract is named by its digest and never changes, so nothing here grows old.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from sebalai_shared import http

from sebalai_gateway.routing.feed import write_whole
from sebalai_gateway.validation.aside import Aside
from sebalai_gateway.validation.contract import Contract

log = logging.getLogger(__name__)

CONTRACTS_HELD = 200
PACK_BYTES_LIMIT = 64 * 1024 * 1024
RETRY_SECONDS = 2.0


class Contracts:
    def __init__(
        self, client: http.Client, headers: Callable[[], dict[str, str]], folder: Path
    ) -> None:
        self._client, self._headers, self._folder = client, headers, folder
        self._held: OrderedDict[str, Contract] = OrderedDict()
        self._asked: dict[str, asyncio.Task[None]] = {}
        self.aside = Aside()

    def get(self, sha256: str | None) -> Contract | None:
        """The contract, if it is here; else it is fetched for the calls to come."""
        if sha256 is None:
            return None
        contract = self._held.get(sha256)
        if contract is not None:
            self._held.move_to_end(sha256)
        elif sha256 not in self._asked:
            task = asyncio.create_task(self._load(sha256))
            self._asked[sha256] = task
            task.add_done_callback(lambda _: self._asked.pop(sha256, None))
        return contract

    async def ready(self, sha256: str | None, seconds: float) -> Contract | None:
        """As `get`, waiting a little for one that is on its way."""
        contract = self.get(sha256)
        task = self._asked.get(sha256 or "")
        if contract is None and task is not None:
            await asyncio.wait([task], timeout=seconds)
            contract = self._held.get(sha256 or "")
        return contract

    async def _load(self, sha256: str) -> None:
        file = self._folder / f"{sha256}.json"
        try:
            pack = await asyncio.to_thread(_read, file)
            if pack is None:
                pack = await self._fetch(sha256)
                await asyncio.to_thread(write_whole, file, pack)
            contract = await asyncio.to_thread(Contract, pack, file)
        except (http.Error, OSError, ValueError) as error:
            log.warning("contract %s is not here: %s", sha256, error)
            await asyncio.sleep(RETRY_SECONDS)
            return
        self._held[sha256] = contract
        if len(self._held) > CONTRACTS_HELD:
            self._held.popitem(last=False)

    async def _fetch(self, sha256: str) -> bytes:
        """Raises: Error, ValueError."""
        answer = await self._client.fetch(
            f"/internal/contracts/{sha256}", headers=self._headers(), limit=PACK_BYTES_LIMIT
        )
        if answer.status_code != 200:
            msg = f"status {answer.status_code}"
            raise ValueError(msg)
        return answer.content

    async def close(self) -> None:
        for task in list(self._asked.values()):
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)
        await self.aside.close()
        await self._client.aclose()


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
