"""A few connections to the gateway's own database, beside the journal's: for what the call path
must agree on with other gateways (repeated calls, quotas).

Statements are not flushed by themselves (`synchronous_commit` off): the journal's commit, which
every call waits for before it is forwarded, comes later in the same log and takes them along.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import asyncpg
from sebalai_shared.driver import FAILED

log = logging.getLogger(__name__)

CONNECTIONS = 4
STATEMENT_SECONDS = 2.0


class StoreUnavailable(Exception):
    """What other gateways know cannot be asked, so nothing that hangs on it may be forwarded."""


class Pool:
    """Opened at its first use."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._pool: Any = None
        self._opening = asyncio.Lock()
        self._fault = ""

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()

    async def run(self, verb: str, *arguments: Any) -> Any:
        """One statement by asyncpg's `verb`: execute, fetch, fetchrow, fetchval.

        Raises: StoreUnavailable.
        """
        try:
            async with self._opening:
                if self._pool is None:
                    self._pool = await self._create()
            found = await getattr(self._pool, verb)(*arguments)
        except FAILED as error:
            self._note(type(error).__name__)
            raise StoreUnavailable(type(error).__name__) from error
        self._note("")
        return found

    def _note(self, fault: str) -> None:
        """Says a change once; an error's own words could hold what is in the statement."""
        if fault != self._fault:
            log.log(logging.ERROR if fault else logging.INFO, "store: %s", fault or "is up")
            self._fault = fault

    async def _create(self) -> Any:
        return await asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=CONNECTIONS,
            timeout=STATEMENT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            server_settings={"jit": "off", "synchronous_commit": "off"},
        )
