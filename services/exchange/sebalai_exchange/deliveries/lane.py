"""The lane of one subscription: reads the log from its cursor, sends in order of each key, retries.

Owns one subscription's order, retries and breaker; knows nothing of other lanes, so a dead one
slows none. What is not done when the cursor passes is kept in `delivery`; while the address is
down the cursor stands still, so a backlog of any length costs no row and no memory.
"""

import asyncio
import random as chance
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sebalai_shared.clock import Clock

from sebalai_exchange.deliveries.schedule import (
    REFUSALS_MAX,
    Breaker,
    due_by,
    retry_seconds,
)
from sebalai_exchange.deliveries.sender import Outcome
from sebalai_exchange.deliveries.store import (
    FORGOTTEN,
    NO_RIGHT,
    OPEN_LOADED_MAX,
    Attempt,
    LaneRow,
    Open,
)
from sebalai_exchange.deliveries.tail import Tail
from sebalai_exchange.deliveries.writer import Writer
from sebalai_exchange.publishing.actions import Stored
from sebalai_exchange.subscriptions.actions import Retries, Serving, Subscription

CONCURRENCY = 8
WINDOW = 100
# With more than this at hand it reads no further: a read for each event delivered is dear.
WINDOW_LOW = WINDOW // 2
CATCHING_UP_EVENTS = 1_000
BEHIND = "behind a dead one of its key"

Key = str | int


class Post(Protocol):
    async def __call__(
        self, to: Subscription, event: Stored, *, is_replay: bool, is_behind: bool
    ) -> Outcome: ...


@dataclass(frozen=True)
class Tools:
    """What every lane of a dispatcher uses; `conclude` ends a subscription's service, `mind` finds
    out whether the clock was set.
    """

    tail: Tail
    writer: Writer
    clock: Clock
    conclude: Callable[[Subscription, str], Awaitable[None]]
    mind: Callable[[], None]


@dataclass
class Beginning:
    """What the database knows of the lane."""

    row: LaneRow
    opens: list[Open]
    dead_keys: set[str]
    done: set[int]


class Lane:
    def __init__(self, serving: Serving, begin: Beginning, post: Post, tools: Tools) -> None:
        self.serving, self._post, self._tools = serving, post, tools
        self._ident = serving.subscription.id
        self._read = begin.row.pos
        row, now = begin.row, tools.clock.now()
        self._breaker = Breaker(row.failures, row.open_until, row.open_since).within(now)
        self._parked, self._done = begin.dead_keys, begin.done
        self._queues: dict[Key, deque[Open]] = {}
        self._fresh: dict[int, Open] = {}  # not in the database yet, by position
        self._kept = 0
        # Deliveries may be in the database that were not loaded: they come before what is new.
        self.has_left_some = len(begin.opens) >= OPEN_LOADED_MAX
        self._events: dict[int, Stored] = {}
        self._flying: dict[Key, asyncio.Task[None]] = {}
        self._allowance = 1
        self._delivered_at: datetime | None = begin.row.delivered_at
        self._bell, self._is_stopping = asyncio.Event(), False
        for one in begin.opens:
            one.first_at = min(one.first_at, now)  # whoever sent it again may be ahead of us
            if one.next_at is not None:
                one.next_at = due_by(self._retries, one.next_at, one.attempts, now)
            self._enqueue(one)
            self._kept += 1

    @property
    def position(self) -> int:
        return self._read

    @property
    def _retries(self) -> Retries:
        return self.serving.subscription.retries

    def _is_behind(self, one: Open) -> bool:
        """So far behind the log's end that it catches up, or sends again what is as old. A live
        lane's late try of an old event is none of that.
        """
        reached = one.pos if one.is_replay else self._read
        return self._tools.tail.last - reached > CATCHING_UP_EVENTS

    @property
    def is_idle(self) -> bool:
        is_read = self.has_left_some or self._read >= self._tools.tail.last
        return not self._queues and is_read

    @property
    def wants_more(self) -> bool:
        """It ended although there is something to do, and nobody told it to."""
        return not self._is_stopping and not self.is_idle

    def wake(self) -> None:
        self._bell.set()

    def was_at(self, position: int) -> bool:
        """Idle, and everything up to `position` is behind it."""
        return not self._queues and self._read >= position

    def pass_by(self, position: int) -> None:
        """The log grew by events this idle lane does not hear of."""
        self._read = position

    def put_back(self, by: timedelta) -> None:
        """The clock was put back; what waits for its next try does not wait for that as well. Put
        ahead, it takes nothing of the time there is to try.
        """
        for one in (one for queue in self._queues.values() for one in queue):
            one.first_at -= by
            one.next_at = None if one.next_at is None else one.next_at - max(by, timedelta())
        self._breaker = self._breaker.put_back(by)
        self._bell.set()

    def row(self) -> LaneRow:
        """The lane as it may be written now: everything up to `pos` is done or kept."""
        pos = next(iter(self._fresh)) - 1 if self._fresh else self._read
        breaker = self._breaker
        return LaneRow(
            self._ident, pos, breaker.failures, breaker.open_until, breaker.open_since,
            self._delivered_at,
        )  # fmt: skip

    async def stop(self) -> None:
        """Lets what flies come down and starts nothing more."""
        self._is_stopping = True
        self._bell.set()

    async def abort(self) -> None:
        """Breaks off what flies; it is sent again by whoever serves the lane next."""
        self._is_stopping = True
        for task in self._flying.values():
            task.cancel()
        await asyncio.gather(*self._flying.values(), return_exceptions=True)

    async def run(self) -> None:
        """Until there is nothing to do, or it is stopped."""
        while not self._is_stopping:
            self._bell.clear()
            await self._tools.writer.wait_for_room()
            await self._start_all()
            if not self._flying and self.is_idle:
                return
            await self._wait()
        if self._flying:
            await asyncio.wait(self._flying.values())

    async def _wait(self) -> None:
        now = self._tools.clock.now()
        due = self._next_due()
        try:
            async with asyncio.timeout(
                None if due is None else max((due - now).total_seconds(), 0)
            ):
                await self._bell.wait()
        except TimeoutError:
            return

    def _next_due(self) -> datetime | None:
        """When to look again; None while only a landing can make room."""
        if self._breaker.is_open:
            return None if self._flying else self._breaker.open_until
        if len(self._flying) >= self._room():
            return None
        times = [
            queue[0].next_at
            for key, queue in self._queues.items()
            if key not in self._flying and queue[0].next_at is not None
        ]
        return min(times, default=None)

    async def _start_all(self) -> None:
        while len(self._flying) < self._room() and not self._is_stopping:
            head = self._ready() or await self._read_on()
            if head is None:
                return
            await self._launch(head)

    def _room(self) -> int:
        if self._breaker.is_open:
            return 1 if self._breaker.allows_probe(self._tools.clock.now()) else 0
        return self._allowance

    def _ready(self) -> Open | None:
        """The oldest delivery whose turn it is; a probe takes the oldest of all."""
        now, best = self._tools.clock.now(), None
        for key, queue in self._queues.items():
            head = queue[0]
            is_due = head.next_at is None or head.next_at <= now or self._breaker.is_open
            if key not in self._flying and is_due and (best is None or head.pos < best.pos):
                best = head
        return best

    async def _read_on(self) -> Open | None:
        """Reads the log until something may be sent, a limit is reached or the log ends."""
        tail = self._tools.tail
        if len(self._fresh) > WINDOW_LOW:
            return None
        while self._read < tail.last and self._may_read():
            kinds = self.serving.matcher.modes
            found, upto = await tail.after(self._read, kinds)
            for event in found:
                if not self._may_read():
                    upto = event.pos - 1
                    break
                self._take(event)
            self._read = upto
            self._done = {pos for pos in self._done if pos > upto}
            ready = self._ready()
            if ready is not None:
                return ready
        return None

    def _may_read(self) -> bool:
        has_room = len(self._fresh) < WINDOW and self._kept < OPEN_LOADED_MAX
        return has_room and not self.has_left_some

    def _take(self, event: Stored) -> None:
        if event.pos in self._done or not self.serving.matcher.hears(event):
            return
        now = self._tools.clock.now()
        one = Open(self._ident, event.pos, event.event_id, event.key, "held", 0, 0, now, None, None)
        if self._key(one) in self._parked:
            self._bury(one, BEHIND)
            return
        queue = self._queues.get(self._key(one))
        if queue and queue[0].attempts:
            self._kept += 1
            self._enqueue(one)
            self._read = max(self._read, event.pos)
            self._tools.writer.note(self.row(), opens=[one])
            return
        self._fresh[event.pos] = one
        self._events[event.pos] = event
        self._enqueue(one)

    def _key(self, one: Open) -> Key:
        is_ordered = self.serving.subscription.ordering == "per_key" and one.key is not None
        return str(one.key) if is_ordered else one.pos

    def _enqueue(self, one: Open) -> None:
        self._queues.setdefault(self._key(one), deque()).append(one)

    async def _launch(self, head: Open) -> None:
        key = self._key(head)
        event = self._events.get(head.pos) or await self._tools.tail.at(head.pos)
        heard = self.serving.matcher
        if event is None or not heard.may_hear(event):
            self._drop(head)
            self._bury(head, FORGOTTEN if event is None or heard.is_over(event) else NO_RIGHT)
            return
        if head.pos in self._fresh and not heard.hears(event):
            self._drop(head)  # its filters were changed while it was at hand
            return
        self._flying[key] = asyncio.create_task(self._fly(key, head, event))

    async def _fly(self, key: Key, head: Open, event: Stored) -> None:
        try:
            outcome = await self._post(
                self.serving.subscription, event,
                is_replay=head.is_replay, is_behind=self._is_behind(head),
            )  # fmt: skip
            await self._land(head, outcome)
        finally:
            self._flying.pop(key, None)
            self._bell.set()

    async def _land(self, one: Open, outcome: Outcome) -> None:
        now = self._tools.clock.now()
        one.attempts += 1
        attempt = Attempt(
            self._ident, one.pos, one.event_id, one.attempts,
            "delivered" if outcome.is_delivered else "failed",
            outcome.status, outcome.reason, outcome.milliseconds, now,
        )  # fmt: skip
        if outcome.is_delivered:
            self._succeed(one, attempt)
        else:
            await self._fail(one, attempt, outcome)

    def _succeed(self, one: Open, attempt: Attempt) -> None:
        if self._breaker.is_open:
            for queue in self._queues.values():
                queue[0].next_at = None if queue[0].next_at is None else attempt.at
        self._breaker = self._breaker.succeeded()
        self._allowance = min(self._allowance + 1, CONCURRENCY)
        self._delivered_at = attempt.at
        is_kept = one.pos not in self._fresh
        self._drop(one)
        closed = (self._ident, one.pos) if is_kept else None
        self._tools.writer.note(self.row(), attempt, closed=closed)

    async def _fail(self, one: Open, attempt: Attempt, outcome: Outcome) -> None:
        self._tools.mind()
        now = attempt.at
        self._breaker = self._breaker.failed(now)
        self._allowance = 1
        one.refusals = one.refusals + 1 if outcome.is_refusal else 0
        one.reason = outcome.reason or f"answered {outcome.status}"
        if self._is_dead(one, now):
            self._park(one, attempt)
        else:
            chosen, after = chance.random(), outcome.retry_after  # noqa: S311
            pause = retry_seconds(self._retries, one.attempts, chosen, after)
            one.state, one.next_at = "waiting", now + timedelta(seconds=pause)
            self._tools.writer.note(self.row_keeping(one), attempt, opens=self._keep(one))
        if outcome.is_gone:
            await self._tools.conclude(self.serving.subscription, "the address answered 410 Gone")
        elif self._breaker.is_hopeless(now, self._retries.life):
            reason = f"not reachable for {self._retries.days} days"
            await self._tools.conclude(self.serving.subscription, reason)

    def _is_dead(self, one: Open, now: datetime) -> bool:
        accepts_others = self._delivered_at is not None and self._delivered_at > one.first_at
        return (
            one.refusals >= REFUSALS_MAX and accepts_others
        ) or now - one.first_at >= self._retries.life

    def row_keeping(self, one: Open) -> LaneRow:
        """The lane's row once `one` and those behind it are kept in the database."""
        for kept in self._queues[self._key(one)]:
            if self._fresh.pop(kept.pos, None) is not None:
                self._kept += 1
            self._events.pop(kept.pos, None)
        return self.row()

    def _keep(self, one: Open) -> list[Open]:
        return list(self._queues[self._key(one)])

    def _drop(self, one: Open) -> None:
        key = self._key(one)
        queue = self._queues[key]
        queue.popleft()
        if not queue:
            del self._queues[key]
        if self._fresh.pop(one.pos, None) is None:
            self._kept -= 1
        self._events.pop(one.pos, None)

    def _park(self, one: Open, attempt: Attempt) -> None:
        """The delivery and all behind it of its key wait for the subscriber's decision."""
        row, waiting = self.row_keeping(one), self._keep(one)
        for number, dead in enumerate(waiting):
            dead.state, dead.next_at = "dead", None
            dead.reason = one.reason if number == 0 else BEHIND
        self._kept -= len(waiting)
        del self._queues[self._key(one)]
        if isinstance(self._key(one), str):
            self._parked.add(str(one.key))
        self._tools.writer.note(row, attempt, opens=waiting)

    def _bury(self, one: Open, reason: str) -> None:
        one.state, one.next_at, one.reason = "dead", None, reason
        self._read = max(self._read, one.pos)
        self._tools.writer.note(self.row(), opens=[one])
