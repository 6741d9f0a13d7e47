"""Carries the snapshot to NATS KV whenever its version rises, and again when NATS lost it.

NATS is the quick way, not the only one: gateways also ask over HTTP each second.
"""

import asyncio
import logging
from collections.abc import Callable

import orjson
from nats.errors import Error as NatsError
from nats.js.errors import (
    BucketNotFoundError,
    KeyDeletedError,
    KeyNotFoundError,
    KeyWrongLastSequenceError,
)
from nats.js.kv import KeyValue
from sebalai_shared.broker import Broker, leave_if_cancelled
from sebalai_shared.database import FAILURES, Database

from sebalai_exchange.routes.actions import RouteCompiler
from sebalai_exchange.routes.compile import Snapshot, kv_value

log = logging.getLogger(__name__)

BUCKET = "SNAPSHOTS"
KEY = "routes"
POLL_SECONDS = 0.2
RETRY_SECONDS = 0.5
COMPARE_EACH_SECONDS = 30.0
KV_TIMEOUT_SECONDS = 5.0


class RoutesPublisher:
    """`beat` is called in every pass, for the heartbeat file."""

    def __init__(
        self,
        database: Database,
        broker: Broker,
        compiler: RouteCompiler,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._database, self._broker, self._compiler, self._beat = database, broker, compiler, beat
        self._published = 0
        broker.on_reconnect(self._after_reconnect)

    async def _after_reconnect(self) -> None:
        # A broker that lost its disk lost the bucket too.
        self._published = 0

    async def run(self) -> None:
        """Runs until cancelled; survives a broker that comes and goes."""
        loop = asyncio.get_running_loop()
        compared_at = loop.time()
        while True:
            self._beat()
            if loop.time() - compared_at > COMPARE_EACH_SECONDS:
                self._published, compared_at = 0, loop.time()
            try:
                is_done = await self.publish_once()
            except FAILURES as error:
                log.warning("routes wait for the database: %s", type(error).__name__)
                is_done = False
            await asyncio.sleep(POLL_SECONDS if is_done else RETRY_SECONDS)

    async def publish_once(self) -> bool:
        """Puts the present snapshot if it was not put yet; False when NATS refused or is away.

        Raises what a database raises that does not answer.
        """
        async with self._database.transaction() as session:
            snapshot = await self._compiler.recent(session, self._published)
        if snapshot is None:
            return True
        try:
            async with asyncio.timeout(KV_TIMEOUT_SECONDS):
                await self._put(snapshot)
        except (NatsError, OSError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            log.warning("routes %d wait for NATS: %s", snapshot.version, why)
            return False
        self._published = snapshot.version
        return True

    async def _put(self, snapshot: Snapshot) -> None:
        """Unless a newer one stands there; others put too, so it is compared and set at once."""
        bucket = await self._bucket()
        while True:
            stored, revision = await self._stored(bucket)
            if stored >= snapshot.version:
                return
            try:
                if revision:
                    await bucket.update(KEY, kv_value(snapshot), last=revision)
                else:
                    await bucket.create(KEY, kv_value(snapshot))
            except KeyWrongLastSequenceError:
                continue
            leave_if_cancelled()
            log.info("routes %d published", snapshot.version)
            return

    async def _stored(self, bucket: KeyValue) -> tuple[int, int]:
        """Which version stands there, and under which revision of the key."""
        try:
            entry = await bucket.get(KEY)
        except (KeyNotFoundError, KeyDeletedError):
            return 0, 0
        try:
            return int(orjson.loads(entry.value or b"{}")["version"]), entry.revision or 0
        except (ValueError, TypeError, KeyError):
            # Other members write there too.
            return 0, entry.revision or 0

    async def _bucket(self) -> KeyValue:
        stream = self._broker.client.jetstream()
        try:
            return await stream.key_value(BUCKET)
        except BucketNotFoundError:
            return await stream.create_key_value(bucket=BUCKET, history=1)
