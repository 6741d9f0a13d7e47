"""Wakes those who wait for events in an API process: long polls for whatever comes, server-sent
events for what they hear of.

One listening connection and one tail a process, begun when first needed. A lost connection is
made again; meanwhile the log is looked at each second.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from uuid import UUID

import asyncpg
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sebalai_shared.problems import Problem

from sebalai_exchange.deliveries.listener import Listener
from sebalai_exchange.deliveries.rights import AWAY, Rights
from sebalai_exchange.deliveries.tail import Tail
from sebalai_exchange.publishing.actions import BELL, Stored
from sebalai_exchange.subscriptions.actions import NEWS, Serving, Subscription

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
STREAMS_MAX = 2_000
STREAMS_OF_APPLICATION_MAX = 1_000
STREAMS_OF_ONE_MAX = 8


class TooManyStreams(Problem):
    status, slug, title = 429, "too-many-streams", "Too many streams are open already"


class Hub:
    def __init__(self, dsn: str, database: Database, clock: Clock) -> None:
        self.tail, self.rights = Tail(database), Rights(database, clock)
        self._dsn = dsn
        self._bell, self._grown = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._streams: Counter[UUID | str] = Counter()  # by subscription, and by subscriber
        self._open = 0

    def _ring(self, *_: object) -> None:
        self._bell.set()

    async def start(self) -> None:
        """Does nothing when it runs already."""
        async with self._starting:
            if self._task is None or self._task.done():
                await self.tail.open()
                self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def enter(self, serving: Serving, position: int, beat_seconds: float) -> Listener:
        """Counts a stream in, which begins behind `position`. Raises `TooManyStreams`."""
        one = serving.subscription
        self._require_room(one)
        self._count(one, 1)
        return Listener(self.rights.enter(one.id, serving.matcher), position, beat_seconds)

    def _require_room(self, one: Subscription) -> None:
        if (
            self._open < STREAMS_MAX
            and self._streams[one.subscriber] < STREAMS_OF_APPLICATION_MAX
            and self._streams[one.id] < STREAMS_OF_ONE_MAX
        ):
            return
        detail = (
            f"At most {STREAMS_OF_ONE_MAX} of one subscription, {STREAMS_OF_APPLICATION_MAX} of "
            f"one application, {STREAMS_MAX} in all."
        )
        raise TooManyStreams(detail, headers={"Retry-After": "30"})

    def _count(self, one: Subscription, by: int) -> None:
        self._open += by
        for counted in (one.id, one.subscriber):
            self._streams[counted] += by
            if not self._streams[counted]:
                del self._streams[counted]

    def leave(self, one: Subscription, listener: Listener) -> None:
        listener.close()
        self.rights.leave(one.id, listener.right)
        self._count(one, -1)

    async def heard_by(self, listener: Listener) -> list[Stored]:
        """What it hears next, and its place behind that; nothing while nobody knows its right."""
        found, upto = await self.tail.after(listener.position, listener.right.matcher.modes)
        if not self.rights.are_fresh:
            return []
        listener.position = upto
        return [event for event in found if listener.right.matcher.hears(event)]

    async def grown(self, position: int, seconds: float) -> bool:
        """Whether the log has more than `position`, waiting for it at most `seconds`."""
        if self.tail.last > position:
            return True
        grown = self._grown
        try:
            async with asyncio.timeout(seconds):
                await grown.wait()
        except TimeoutError:
            return False
        return True

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.rights.run())
            group.create_task(self._follow_log())

    async def _follow_log(self) -> None:
        while True:
            try:
                await self._follow()
            except AWAY as error:
                log.warning("events wait for the database: %s", str(error) or type(error).__name__)
                await asyncio.sleep(LOOK_SECONDS)

    async def _follow(self) -> None:
        connection = await asyncpg.connect(self._dsn)
        try:
            await connection.add_listener(BELL, self._ring)
            for channel in NEWS:
                await connection.add_listener(channel, self.rights.ring)
            while not connection.is_closed():
                self._bell.clear()  # before the read: a ring during it must not be lost
                found = await self.tail.grow()
                if found:
                    self.rights.tell(found)
                    self._announce()
                    continue
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._bell.wait()
        finally:
            connection.terminate()

    def _announce(self) -> None:
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()
