"""The dispatcher: one process serves all webhooks, each subscription in a lane of its own.

Held by an advisory lock, on the connection that also writes the results; losing it ends the
process. Reads the event store alone, so webhooks go on while NATS is away.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from sebalai_shared.addresses import Reach
from sebalai_shared.clock import Clock, SystemClock
from sebalai_shared.database import Database
from sebalai_shared.driver import LOST

from sebalai_exchange.deliveries import store
from sebalai_exchange.deliveries.lane import Beginning, Lane, Post, Tools
from sebalai_exchange.deliveries.schedule import Leaps
from sebalai_exchange.deliveries.sender import Outcome, Sender
from sebalai_exchange.deliveries.slots import SLOW_SECONDS, Slots
from sebalai_exchange.deliveries.tail import Tail
from sebalai_exchange.deliveries.verifying import Verifications
from sebalai_exchange.deliveries.writer import Writer
from sebalai_exchange.publishing.actions import BELL, Stored
from sebalai_exchange.subscriptions.actions import (
    NEWS,
    Serving,
    Subscription,
    WebhookSecrets,
    conclude,
    live_subscriptions,
    matchers,
)

log = logging.getLogger(__name__)

REFRESH_SECONDS = 5.0
IDLE_SECONDS = 1.0
SAVE_IDLE_SECONDS = 10.0
LOCK_RETRY_SECONDS = 2.0
SETTLE_SECONDS = 3.0
DECISIONS = "deliveries"


class DispatcherLostError(Exception):
    """The connection that held the lock is gone; end and let the supervisor start anew."""


class Served:
    """A lane with its task and its client."""

    def __init__(self, lane: Lane, sender: Sender) -> None:
        self.lane, self.sender = lane, sender
        self.task: asyncio.Task[None] | None = None


class Dispatcher:
    """`beat` is called in every pass, for the heartbeat file."""

    def __init__(
        self,
        dsn: str,
        database: Database,
        targets: tuple[Reach, WebhookSecrets, str],
        beat: Callable[[], None] = lambda: None,
        clock: Clock | None = None,
    ) -> None:
        self._dsn, self._database, self._beat = dsn, database, beat
        self._reach, self._secrets, public_url = targets
        self._clock, self._tail = clock or SystemClock(), Tail(database)
        self._leaps = Leaps(self._clock.now(), time.monotonic())
        self._verifications = Verifications(database, self._clock, self._sender, public_url)
        self._served: dict[UUID, Served] = {}
        self._leaving: dict[UUID, asyncio.Task[None]] = {}
        self._bell, self._news = asyncio.Event(), asyncio.Event()
        self._reload: set[UUID] = set()
        self._slots = Slots()

    async def run(self) -> None:
        """Runs until cancelled. Raises `DispatcherLostError`."""
        connection = await asyncpg.connect(self._dsn, server_settings={"jit": "off"})
        try:
            while not await connection.fetchval(
                "SELECT pg_try_advisory_lock(hashtext('event-dispatcher'))"
            ):
                self._beat()
                await asyncio.sleep(LOCK_RETRY_SECONDS)
            await connection.add_listener(BELL, self._ring)
            for channel in (*NEWS, DECISIONS):
                await connection.add_listener(channel, self._note_news)
            await self._serve(connection)
        except (*LOST, ExceptionGroup) as error:
            if isinstance(error, ExceptionGroup) and error.subgroup(LOST) is None:
                raise
            raise DispatcherLostError(str(error)) from error
        finally:
            connection.terminate()
            await self._close()

    def _note_news(self, _connection: Any, _pid: int, channel: str, payload: str) -> None:
        if channel == DECISIONS and payload:
            self._reload.add(UUID(payload))
        self._news.set()

    async def _serve(self, connection: Any) -> None:
        self._writer = Writer(connection)
        writing = asyncio.create_task(self._writer.run())
        try:
            await self._tail.open()
            await self._refresh()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(connection))
                group.create_task(self._keep_fresh())
                group.create_task(self._save_idle())
                await asyncio.shield(writing)
        finally:
            await self._settle(writing)

    async def _settle(self, writing: asyncio.Task[None]) -> None:
        """Told to stop: what flies may come down and be written, or it would be sent again."""
        try:
            if not writing.done():
                for one in self._served.values():
                    await one.lane.stop()
                tasks = [one.task for one in self._served.values() if one.task is not None]
                if tasks:
                    await asyncio.wait(tasks, timeout=SETTLE_SECONDS)
                await asyncio.wait_for(self._writer.flushed(), SETTLE_SECONDS)
        except TimeoutError:
            log.warning("stopped before all results were written; those are sent again")
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _follow(self, connection: Any) -> None:
        """Reads the log as it grows and wakes the lanes that hear of what came."""
        while True:
            self._beat()
            if connection.is_closed():  # and with it the lock: another may serve by now
                raise asyncpg.InterfaceError("the connection that held the lock is closed")
            self._mind_the_clock()
            self._bell.clear()  # before the read: a ring during it must not be lost
            found = await self._tail.grow()
            if found:
                self._wake(found)
                continue
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._bell.wait()
            except TimeoutError:
                continue

    def _mind_the_clock(self) -> None:
        """Before anything is told by it how long something took."""
        leap = self._leaps.back(self._clock.now(), time.monotonic())
        if leap:
            log.warning("the clock was put back by %s; what waits goes by what it waited", leap)
            for one in self._served.values():
                one.lane.put_back(leap)

    def _wake(self, events: Sequence[Stored]) -> None:
        for one in self._served.values():
            if one.task is not None or any(one.lane.serving.matcher.hears(e) for e in events):
                self._start(one)
            elif one.lane.position < self._tail.last and one.lane.was_at(events[0].pos - 1):
                one.lane.pass_by(self._tail.last)

    def _start(self, one: Served) -> None:
        one.lane.wake()
        if one.task is None:
            one.task = asyncio.create_task(one.lane.run())
            one.task.add_done_callback(lambda task: self._ended(one, task))

    def _ended(self, one: Served, task: asyncio.Task[None]) -> None:
        one.task = None
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            log.error("lane failed; it begins again from the database", exc_info=error)
            self._load_anew(one)
        elif one.lane.has_left_some:
            self._load_anew(one)
        elif one.lane.wants_more:
            self._start(one)  # something came between its last look and its end

    def _load_anew(self, one: Served) -> None:
        self._reload.add(one.lane.serving.subscription.id)
        self._news.set()

    async def _keep_fresh(self) -> None:
        while True:
            try:
                async with asyncio.timeout(REFRESH_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                pass
            self._news.clear()
            self._beat()
            await self._refresh()

    async def _refresh(self) -> None:
        """Takes up what is new, lets go what is over, and looks every right up again."""
        async with self._database.transaction() as session:
            live = await live_subscriptions(session)
            heard = await matchers(session, self._clock, subscriptions=live)
        # One that may hear of nothing stands still: a resumed agreement finds it where it was.
        wanted = {
            one.id: one
            for one in live
            if one.kind == "webhook" and one.state == "active" and heard[one.id].modes
        }
        for ident in [
            ident for ident in self._served if ident not in wanted or ident in self._reload
        ]:
            self._let_go(ident)
        self._reload.clear()
        for ident, one in wanted.items():
            await self._serve_one(Serving(one, heard[ident]))
        self._verifications.follow(live)

    async def _serve_one(self, serving: Serving) -> None:
        ident = serving.subscription.id
        known = self._served.get(ident)
        if ident in self._leaving:
            return
        if known is not None:
            if known.lane.serving != serving:
                known.lane.serving = serving
                self._start(known)
            return
        async with self._database.transaction() as session:
            row = await store.lane(session, ident)
            begin = Beginning(
                row,
                list(await store.open_of(session, ident)),
                await store.dead_keys(session, ident),
                await store.done_after(session, ident, row.pos),
            )
        sender = self._sender()
        tools = Tools(self._tail, self._writer, self._clock, self._conclude, self._mind_the_clock)
        self._served[ident] = Served(Lane(serving, begin, self._post_by(sender), tools), sender)
        self._start(self._served[ident])

    def _let_go(self, ident: UUID) -> None:
        one = self._served.pop(ident)
        self._leaving[ident] = asyncio.create_task(self._leave(ident, one))

    async def _leave(self, ident: UUID, one: Served) -> None:
        try:
            await one.lane.stop()
            if one.task is not None:
                await asyncio.wait([one.task])
            await self._writer.flushed()
            one.sender.close()
        finally:
            self._leaving.pop(ident, None)
            self._news.set()

    def _post_by(self, sender: Sender) -> Post:
        is_slow = False

        async def post(
            to: Subscription, event: Stored, *, is_replay: bool, is_behind: bool
        ) -> Outcome:
            nonlocal is_slow
            async with self._slots.of(to.subscriber, is_slow=is_slow, is_behind=is_behind):
                outcome = await sender.send(to, event, is_replay=is_replay)
            is_slow = outcome.milliseconds > SLOW_SECONDS * 1_000
            return outcome

        return post

    def _sender(self) -> Sender:
        return Sender(self._reach, self._secrets, self._clock)

    async def _conclude(self, one: Subscription, reason: str) -> None:
        await self._writer.flushed()  # what led to it is on record before it
        async with self._database.transaction() as session:
            wanted = ("active", "disabled", reason)
            await conclude(session, self._clock, of=one, wanted=wanted)

    def _ring(self, *_: object) -> None:
        self._bell.set()

    async def _save_idle(self) -> None:
        """Idle lanes have passed what they do not hear of; their cursors follow now and then."""
        saved: dict[UUID, int] = {}
        while True:
            await asyncio.sleep(SAVE_IDLE_SECONDS)
            for ident, one in self._served.items():
                row = one.lane.row()
                if saved.get(ident) != row.pos:
                    saved[ident] = row.pos
                    self._writer.note(row)

    async def _close(self) -> None:
        lanes = [one.lane.abort() for one in self._served.values()]
        tasks = [one.task for one in self._served.values() if one.task is not None]
        tasks += self._leaving.values()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*lanes, *tasks, self._verifications.close(), return_exceptions=True)
        for one in self._served.values():
            one.sender.close()
