"""Gives each accepted event its position: one sequencer moves rows from `event_new` to `event`.

Held by an advisory lock on its own connection, like the relay; losing that connection ends the
process. Taking rows away instead of reading behind a cursor means that nothing which commits late
is skipped, and that no open transaction elsewhere holds events back.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import asyncpg
from sebalai_shared.clock import SystemClock
from sebalai_shared.driver import LOST

from sebalai_exchange.publishing.actions import BELL
from sebalai_exchange.publishing.partitions import prepare_partitions

log = logging.getLogger(__name__)

BATCH_ROWS = 1_000
IDLE_SECONDS = 1.0
LOCK_RETRY_SECONDS = 2.0
PARTITIONS_EACH_SECONDS = 3_600.0
DOORBELL = "event_new"

_COLUMNS = (
    "event_id, source, id, type, key, publisher, parties, retention_days, document, stored_at"
)
_MOVE = f"""
WITH taken AS (
  DELETE FROM event_new WHERE seq IN (SELECT seq FROM event_new ORDER BY seq LIMIT $1)
  RETURNING *
), counted AS (
  SELECT count(*) AS n FROM taken
), head AS (
  UPDATE event_head SET pos = pos + (SELECT n FROM counted)
  WHERE (SELECT n FROM counted) > 0 RETURNING pos
), moved AS (
  INSERT INTO event (pos, {_COLUMNS})
  SELECT h.pos - c.n + row_number() OVER (ORDER BY t.seq), {_COLUMNS}
  FROM taken t, head h, counted c
  RETURNING pos
)
SELECT count(*) AS n, max(pos) AS pos FROM moved
"""  # noqa: S608 - made of constants


class SequencerLostError(Exception):
    """The connection that held the lock is gone; end and let the supervisor start anew."""


class Sequencer:
    """`beat` is called in every pass, for the heartbeat file."""

    def __init__(self, dsn: str, beat: Callable[[], None] = lambda: None) -> None:
        self._dsn, self._beat, self._bell = dsn, beat, asyncio.Event()

    async def run(self) -> None:
        """Runs until cancelled. Raises `SequencerLostError`."""
        connection = await asyncpg.connect(self._dsn, server_settings={"jit": "off"})
        try:
            while not await connection.fetchval(
                "SELECT pg_try_advisory_lock(hashtext('event-sequencer'))"
            ):
                self._beat()
                await asyncio.sleep(LOCK_RETRY_SECONDS)
            await connection.add_listener(DOORBELL, self._ring)
            await self._loop(connection)
        except LOST as error:
            raise SequencerLostError(str(error)) from error
        finally:
            connection.terminate()

    def _ring(self, *_: object) -> None:
        self._bell.set()

    async def _loop(self, connection: Any) -> None:
        clock = asyncio.get_running_loop().time
        prepared_at: float | None = None
        while True:
            self._beat()
            if prepared_at is None or clock() - prepared_at > PARTITIONS_EACH_SECONDS:
                await prepare_partitions(connection, SystemClock().now())
                prepared_at = clock()
            self._bell.clear()  # before the read: a ring during it must not be lost
            if not await move(connection):
                await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await self._bell.wait()
        except TimeoutError:
            return


async def move(connection: Any, limit: int = BATCH_ROWS) -> int:
    """Numbers up to `limit` waiting events in one transaction; answers how many.

    A batch may hold rows of two transactions, of which the later may have begun first: `seq` orders
    rows within one request, commit orders requests.
    """
    async with connection.transaction():
        row = await connection.fetchrow(_MOVE, limit)
        if row["n"]:
            await connection.execute("SELECT pg_notify($1, $2)", BELL, str(row["pos"]))
    return int(row["n"])
