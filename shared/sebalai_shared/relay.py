"""Carries rows from PostgreSQL to JetStream, in order, at least once, as the trial tested it.

One relay a source, held by an advisory lock on its own connection; losing that connection ends
the process. It holds no transaction itself, or it would be its own horizon.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

import asyncpg

from sebalai_shared.broker import (
    ERR_BATCH_DUPLICATE,
    ApiError,
    Broker,
    BrokerUnavailable,
    Sending,
)
from sebalai_shared.driver import LOST
from sebalai_shared.ids import uuid7

log = logging.getLogger(__name__)

BATCH_ROWS = 500
POLL_SECONDS = 0.05
IDLE_SECONDS = 1.0
RETRY_SECONDS = 0.5
LOCK_RETRY_SECONDS = 2.0
REPUBLISH_BACK = timedelta(minutes=5)
TRAIL_STEP_SECONDS = 10.0
ALL_THAT_IS_KEPT = timedelta(days=3_650)
SWEEP_EACH_SECONDS = 300.0


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """How far a source was relayed; xid first, because rows become visible by transaction."""

    xid: int
    seq: int
    is_end: bool = field(default=False, compare=False)


BEGINNING = Cursor(0, 0)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message and the cursor after it."""

    cursor: Cursor
    subject: str
    message_id: str
    payload: bytes
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def sending(self) -> Sending:
        return Sending(self.subject, self.message_id, self.payload, self.headers)


class Source(Protocol):
    """Where rows come from: the outbox, or the gateway's journal. Its bell, if it has one, is a
    channel of NOTIFY; without a ring it is looked at each `idle_seconds`.
    """

    name: str
    doorbell: str | None
    idle_seconds: float
    stream: str

    async def read(self, connection: Any, after: Cursor, limit: int) -> list[Outgoing]: ...
    async def is_waiting(self, connection: Any, after: Cursor) -> bool: ...
    async def rewound(self, connection: Any, back: timedelta) -> Cursor: ...
    async def sweep(self, connection: Any, done: Cursor) -> None: ...


class Trail:
    """Where the cursor stood REPUBLISH_BACK ago, or at the start, by a clock that nobody can set:
    rows bear the database's, which may have been put forward since.
    """

    def __init__(self, cursor: Cursor, steady: float) -> None:
        self._steps = deque([(steady, cursor)])

    @property
    def begins(self) -> Cursor:
        return self._steps[0][1]

    def note(self, cursor: Cursor, steady: float) -> None:
        """`steady` in seconds."""
        if steady - self._steps[-1][0] >= TRAIL_STEP_SECONDS:
            self._steps.append((steady, cursor))
        while len(self._steps) > 1 and steady - self._steps[1][0] >= REPUBLISH_BACK.total_seconds():
            self._steps.popleft()


class LockLost(Exception):
    """The connection that held the relay's lock is gone; end and let the supervisor start anew."""


class Relay:
    """`beat` is called in every pass, for the heartbeat file."""

    def __init__(
        self, dsn: str, broker: Broker, source: Source, beat: Callable[[], None] = lambda: None
    ) -> None:
        self._dsn, self._broker, self._source, self._beat = dsn, broker, source, beat
        self._bell = asyncio.Event()
        self._back: timedelta | None = timedelta()
        broker.on_reconnect(self._after_reconnect)

    async def _after_reconnect(self) -> None:
        # A restarted broker may have acknowledged what never reached its disk.
        self._back = REPUBLISH_BACK
        self._bell.set()

    async def run(self) -> None:
        """Runs until cancelled. Raises: LockLost."""
        connection = await asyncpg.connect(self._dsn, server_settings={"jit": "off"})
        try:
            await self._lead(connection)
            if self._source.doorbell is not None:
                await connection.add_listener(self._source.doorbell, self._ring)
            await self._loop(connection)
        except LOST as error:
            raise LockLost(str(error)) from error
        finally:
            connection.terminate()

    def _ring(self, *_: object) -> None:
        self._bell.set()

    async def _lead(self, connection: Any) -> None:
        key = f"relay:{self._source.name}"
        while not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", key):
            self._beat()
            await asyncio.sleep(LOCK_RETRY_SECONDS)

    async def _loop(self, connection: Any) -> None:
        cursor = await self._load(connection, self._source.name)
        clock = asyncio.get_running_loop().time
        swept_at = clock()
        self._trail = Trail(cursor, swept_at)
        while True:
            self._beat()
            self._trail.note(cursor, clock())
            self._bell.clear()  # before the read: a ring during it must not be lost
            while self._back is not None:
                self._beat()
                cursor = await self._look_back(connection, cursor, self._back)
            rows = await self._source.read(connection, cursor, BATCH_ROWS)
            if rows and await self._deliver(rows):
                cursor = rows[-1].cursor
                await self._save(connection, self._source.name, cursor)
            elif rows:
                await asyncio.sleep(RETRY_SECONDS)
            if not rows:
                await self._wait(connection, cursor)
            if clock() - swept_at > SWEEP_EACH_SECONDS:
                await self._source.sweep(connection, cursor)
                swept_at = clock()

    async def _wait(self, connection: Any, cursor: Cursor) -> None:
        # An open transaction before us rings no bell when it rolls back: then poll quickly.
        is_held = await self._source.is_waiting(connection, cursor)
        try:
            async with asyncio.timeout(POLL_SECONDS if is_held else self._source.idle_seconds):
                await self._bell.wait()
        except TimeoutError:
            return

    async def _deliver(self, rows: Sequence[Outgoing]) -> bool:
        try:
            await self._send(rows)
        except (BrokerUnavailable, ApiError) as error:
            log.warning("relay %s waits: %s", self._source.name, error)
            return False
        return True

    async def _send(self, rows: Sequence[Outgoing]) -> None:
        if len(rows) > 1:
            try:
                await self._broker.publish_batch([row.sending() for row in rows], uuid7().hex)
            except ApiError as error:
                if error.code != ERR_BATCH_DUPLICATE:
                    raise
            else:
                return
        # Single, or a batch of which some are stored: one by one, each acked as new or duplicate.
        for row in rows:
            await self._broker.publish(row.sending())

    async def _look_back(self, connection: Any, cursor: Cursor, back: timedelta) -> Cursor:
        """Before anything new, what is younger than `back` is sent again; of a stream that began
        anew (its disk was lost, perhaps while nobody looked) all that is kept.
        """
        self._back = None  # before the look: a reconnect during it must not be lost
        try:
            stream = await self._stream()
            if await self._load(connection, self._stream_name) not in (stream, BEGINNING):
                log.warning("relay %s: its stream was lost, all is sent again", self._source.name)
                back = ALL_THAT_IS_KEPT
            cursor = await self._republish(connection, cursor, back)
        except (BrokerUnavailable, ApiError) as error:
            log.warning("relay %s waits: %s", self._source.name, error)
            self._back = max(back, self._back or back)
            await asyncio.sleep(RETRY_SECONDS)
        else:
            await self._save(connection, self._source.name, cursor)
            await self._save(connection, self._stream_name, stream)
        return cursor

    async def _stream(self) -> Cursor:
        """When the stream began, in the shape of a cursor, as which it is kept."""
        created = await self._broker.stream_created(self._source.stream)
        return Cursor(0, int(created.timestamp() * 1_000))

    @property
    def _stream_name(self) -> str:
        return f"{self._source.name} stream"

    async def _republish(self, connection: Any, upto: Cursor, back: timedelta) -> Cursor:
        """How far all is sent, which may be past `upto`: a message may hold rows of both sides.

        Raises: BrokerUnavailable, ApiError.
        """
        found = await self._source.rewound(connection, back)
        cursor = self._trail.begins if found.is_end else min(found, self._trail.begins)
        if upto <= cursor:
            return upto  # so far behind that what is due is older: nothing of it may be skipped
        while cursor < upto and (rows := await self._source.read(connection, cursor, BATCH_ROWS)):
            self._beat()
            await self._send(rows)
            cursor = rows[-1].cursor
        return max(cursor, upto)

    async def _load(self, connection: Any, name: str) -> Cursor:
        row = await connection.fetchrow(
            "SELECT xid::text AS xid, seq FROM relay_cursor WHERE name = $1", name
        )
        return Cursor(int(row["xid"]), int(row["seq"])) if row else BEGINNING

    async def _save(self, connection: Any, name: str, cursor: Cursor) -> None:
        await connection.execute(
            """
            INSERT INTO relay_cursor (name, xid, seq) VALUES ($1, $2::text::xid8, $3)
            ON CONFLICT (name) DO UPDATE
            SET xid = excluded.xid, seq = excluded.seq, moved_at = now()
            """,
            name,
            str(cursor.xid),
            cursor.seq,
        )
