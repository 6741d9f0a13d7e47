"""Rings at every gateway the moment a revocation commits. NATS only rings: what is revoked comes
from identity itself over HTTP, which gateways ask each second anyway.
"""

import asyncio
import logging
import time
from collections.abc import Callable

import asyncpg
from sebalai_shared.broker import ApiError, Broker, BrokerUnavailable
from sebalai_shared.driver import FAILED

from sebalai_identity import bucket
from sebalai_identity.revocations.model import CHANNEL

log = logging.getLogger(__name__)

KEY = "revoked"
IDLE_SECONDS = 5.0
RETRY_SECONDS = 1.0


class RevocationsBell:
    """Listens on the database, puts a new version into the bucket. `beat` in every pass."""

    def __init__(self, dsn: str, broker: Broker, beat: Callable[[], None] = lambda: None) -> None:
        self._dsn, self._broker, self._beat = dsn, broker, beat
        self._bell = asyncio.Event()

    def _wake(self, *_: object) -> None:
        self._bell.set()

    async def run(self) -> None:
        """Runs until cancelled; survives a broker or database that comes and goes."""
        while True:
            try:
                await self._listen()
            except FAILED as error:
                log.warning("revocations ring no bell for the moment: %s", error)
            self._beat()
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self._dsn, server_settings={"jit": "off"})
        try:
            await connection.add_listener(CHANNEL, self._wake)
            # What was revoked while nobody listened is found by the gateways' own asking.
            while not connection.is_closed():
                self._beat()
                await self._wait()
                if self._bell.is_set():
                    self._bell.clear()
                    await self._ring()
        finally:
            connection.terminate()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await self._bell.wait()
        except TimeoutError:
            return

    async def _ring(self) -> None:
        try:
            await bucket.ensure(self._broker)
            # Any number that is higher than every cursor: it says "ask", not what to ask with.
            await bucket.put(self._broker, KEY, {"version": time.time_ns()})
        except (ApiError, BrokerUnavailable) as error:
            log.warning("revocations ring no bell at the gateways: %s", error)
