"""The journal's writer: group commit. Owns the one connection that writes entries.

Everything queued while a commit is under way goes into the next one, so the rate of calls does not
hang on the rate of fsyncs (measured: 11 times at 16 callers, 26 times at 128). A dead database is
known at once: entries fail until a background attempt has reached it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from itertools import chain, takewhile
from typing import Any

import asyncpg
import msgspec
from sebalai_shared.driver import FAILED

log = logging.getLogger(__name__)

BATCH_ENTRIES = 512
QUEUE_ENTRIES = 8_192
CONNECT_SECONDS = 2
COMMIT_SECONDS = 2.0
# How long a call waits for its entry; looked at each LOOK_SECONDS.
WAIT_SECONDS, LOOK_SECONDS = 2.0, 0.1
GIVE_UP_SECONDS = 3.0  # the driver's own timeout waits for the server to confirm the cancellation
RECONNECT_SECONDS = 0.25
_DAY_MILLISECONDS = 86_400_000
_EPOCH = date(1970, 1, 1)

# What is wrong with an entry and not with the database.
_REJECTED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
_INSERT = """
WITH written AS (
  INSERT INTO journal (day, message_id, phase, at, record)
  SELECT (entry->>0)::date, (entry->>1)::uuid, entry->>2, (entry->>3)::timestamptz, entry->4
  FROM jsonb_array_elements(convert_from($1, 'UTF8')::jsonb) AS batch (entry)
  ON CONFLICT DO NOTHING RETURNING message_id, phase
)
SELECT CASE WHEN count(*) < $2 THEN coalesce(array_agg(message_id || phase), '{}') END FROM written
"""


class JournalUnavailable(Exception):
    """The entry is not committed; the call must not go on."""


class AlreadyCompleted(Exception):
    """Reconciliation has closed this call as unknown; its answer must be withheld."""


class Entry(msgspec.Struct):
    """`name` is message id and phase; `head` begins a JSON array that `record` ends; it came at
    `since`, by the monotonic clock.
    """

    name: str
    head: bytes
    record: bytes
    done: asyncio.Future[None]
    since: float


class _Day:
    """The partition: the day of the message id, the same for both phases of a call. Ids grow with
    time, so that those of one day lie between two of them.
    """

    def __init__(self) -> None:
        self._begins = self._ends = self._text = ""

    def of(self, message_id: str) -> str:
        if not self._begins <= message_id < self._ends:
            milliseconds = int(message_id[:8] + message_id[9:13], 16)
            number = milliseconds // _DAY_MILLISECONDS
            self._begins, self._ends = _first_of(number), _first_of(number + 1)
            self._text = (_EPOCH + timedelta(days=number)).isoformat()
        return self._text


def _first_of(day: int) -> str:
    digits = f"{day * _DAY_MILLISECONDS:012x}"
    return f"{digits[:8]}-{digits[8:]}"


class Journal:
    """What `append` gives is done when the entry is on disk. Each time the database is reached, no
    entry is taken before `ready` is done.
    """

    def __init__(self, dsn: str, ready: Callable[[], Awaitable[None]] | None = None) -> None:
        self._dsn, self._ready = dsn, ready
        self._pending: list[Entry] = []
        self._batch: list[Entry] = []
        self._watch: asyncio.TimerHandle | None = None
        self._wake, self._day = asyncio.Event(), _Day()
        self._connection: Any = None
        # Kept, because asking for the running loop is a system call before Python 3.12.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        return self._connection is not None

    @property
    def queued(self) -> int:
        """Entries that wait for the next commit."""
        return len(self._pending)

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._run(), name="journal")
        self._look()

    def _look(self) -> None:
        """Lets go of who has waited for WAIT_SECONDS, at most LOOK_SECONDS late."""
        if self._loop is not None:
            self._watch = self._loop.call_later(LOOK_SECONDS, self._look)
        late = time.monotonic() - WAIT_SECONDS
        for entry in takewhile(lambda one: one.since <= late, chain(self._batch, self._pending)):
            _fail(entry, JournalUnavailable())

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
        self._fail_pending()

    def append(self, message_id: str, phase: str, at: str, record: bytes) -> asyncio.Future[None]:
        """`at` as RFC 3339 writes it, `record` a JSON value. Done within WAIT_SECONDS.

        Raises: JournalUnavailable, here or in the future; in the future AlreadyCompleted.
        """
        pending, loop = self._pending, self._loop
        if self._connection is None or loop is None or len(pending) >= QUEUE_ENTRIES:
            raise JournalUnavailable
        done: asyncio.Future[None] = loop.create_future()
        head = f',["{self._day.of(message_id)}","{message_id}","{phase}","{at}",'.encode()
        pending.append(Entry(message_id + phase, head, record, done, time.monotonic()))
        if len(pending) == 1:
            self._wake.set()
        return done

    async def _run(self) -> None:
        while True:
            try:
                await self._work()
            except Exception as error:  # noqa: BLE001 # house: broad - ended, it lets calls wait
                self._down(str(error) or type(error).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _work(self) -> None:
        if self._connection is None:
            await self._connect()
            return
        await self._wake.wait()
        self._wake.clear()
        while self._pending and self._connection is not None:
            batch, self._pending = self._pending[:BATCH_ENTRIES], self._pending[BATCH_ENTRIES:]
            # Nobody waits for the others any more: their answers were withheld.
            self._batch = [entry for entry in batch if not entry.done.done()]
            if self._batch:
                await self._commit(self._batch)
                self._batch = []

    async def _connect(self) -> None:
        try:
            connection: Any = await asyncpg.connect(
                self._dsn,
                timeout=CONNECT_SECONDS,
                command_timeout=COMMIT_SECONDS,
                server_settings={"jit": "off", "statement_timeout": "2000"},
            )
        except FAILED as error:
            log.debug("journal: %s", error)
            await asyncio.sleep(RECONNECT_SECONDS)
            return
        try:
            if self._ready is not None:
                await self._ready()
            if connection.is_closed():
                return
            self._connection = connection
        finally:
            if self._connection is None:
                connection.terminate()
        connection.add_termination_listener(self._lost)
        log.info("journal is up")

    def _lost(self, connection: Any) -> None:
        if connection is self._connection:
            self._down("the connection was closed")

    def _down(self, why: object) -> None:
        log.error("journal is down: %s; calls are answered 503", why)
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
        self._fail_pending()
        self._wake.set()

    def _fail_pending(self) -> None:
        pending, self._pending = self._pending, []
        for entry in pending:
            _fail(entry, JournalUnavailable())

    async def _commit(self, batch: list[Entry]) -> None:
        """Commits the batch; of one with an entry that PostgreSQL rejects, all the others."""
        written: list[str] | None = None
        rejected, is_known = None, False
        try:
            async with asyncio.timeout(GIVE_UP_SECONDS):
                written = await self._insert(batch)
            is_known = True
        except _REJECTED as error:
            rejected, is_known = error, True
        finally:
            # Whatever broke it, what is not known to be on disk is not on disk.
            for entry in batch if not is_known else ():
                _fail(entry, JournalUnavailable())
        if rejected is not None:
            await self._part(batch, rejected)
            return
        if written is None:
            for entry in batch:
                if not entry.done.done():
                    entry.done.set_result(None)
            return
        for entry in batch:
            if entry.name in written:
                # Taken out, so that a twin in the same batch does not pass for the stored one.
                written.remove(entry.name)
                _resolve(entry)
            else:
                _fail(entry, AlreadyCompleted())

    async def _part(self, batch: list[Entry], rejected: Exception) -> None:
        """Finds the rejected entry by halves; the other entries are committed."""
        if len(batch) == 1:
            # Its own words could hold what is in the entry.
            log.error("an entry was rejected: %s", type(rejected).__name__)
            _fail(batch[0], JournalUnavailable())
            return
        halves = batch[: len(batch) // 2], batch[len(batch) // 2 :]
        try:
            for half in halves:
                if self._connection is not None:
                    await self._commit(half)
        finally:
            for entry in batch:
                _fail(entry, JournalUnavailable())

    async def _insert(self, batch: list[Entry]) -> list[str] | None:
        """Which were not there before; None where none was. As one value, because the driver looks
        at each value by itself; in bytes, because each copy of a record costs its caches.
        """
        pieces = [piece for entry in batch for piece in (entry.head, entry.record, b"]")]
        pieces[0] = b"[" + pieces[0][1:]
        return await self._connection.fetchval(_INSERT, b"".join((*pieces, b"]")), len(batch))


def _resolve(entry: Entry) -> None:
    if not entry.done.done():
        entry.done.set_result(None)


def _fail(entry: Entry, error: Exception) -> None:
    if not entry.done.done():
        entry.done.set_exception(error)
