"""Carries the public keys to NATS KV whenever their version rises, and again when NATS lost them.

NATS is the quick way, not the only one: the gateway also asks over HTTP each second.
"""

import asyncio
import logging
from collections.abc import Callable

from sebalai_shared.broker import ApiError, Broker, BrokerUnavailable
from sebalai_shared.database import Database
from sqlalchemy.exc import SQLAlchemyError

from sebalai_identity import bucket
from sebalai_identity.keys.actions import Ring

log = logging.getLogger(__name__)

KEY = "jwks"
POLL_SECONDS = 0.5
PUT_AGAIN_SECONDS = 30.0


class KeysPublisher:
    """`beat` is called in every pass, for the heartbeat file."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        ring: Ring,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._database, self._broker, self._ring, self._beat = database, broker, ring, beat
        self._published = 0
        broker.on_reconnect(self._after_reconnect)

    async def _after_reconnect(self) -> None:
        # A broker that lost its disk lost the bucket too.
        self._published = 0

    async def run(self) -> None:
        """Runs until cancelled; survives a broker or database that comes and goes."""
        loop = asyncio.get_running_loop()
        put_at = loop.time()
        while True:
            self._beat()
            if loop.time() - put_at > PUT_AGAIN_SECONDS:
                self._published, put_at = 0, loop.time()
            try:
                await self.publish_once()
            except (ApiError, BrokerUnavailable, SQLAlchemyError, OSError) as error:
                log.warning("keys wait: %s", error)
            await asyncio.sleep(POLL_SECONDS)

    async def publish_once(self) -> bool:
        """Puts the published keys if their version was not put yet; whether it did.

        Raises `ApiError`, `BrokerUnavailable`.
        """
        async with self._database.transaction() as session:
            snapshot = await self._ring.snapshot(session, self._published)
        if snapshot is None:
            return False
        await bucket.ensure(self._broker)
        await bucket.put(self._broker, KEY, snapshot.as_dict())
        self._published = snapshot.version
        return True
