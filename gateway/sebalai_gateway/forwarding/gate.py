"""Room for exchanges with one destination, shared fairly: a consumer who floods it waits in a queue
of its own, and no consumer alone can hold all of it.
"""

from __future__ import annotations

import asyncio
from collections import deque

CONSUMER_SHARE = 0.75
QUEUED_A_CONSUMER = 256
QUEUED_LIMIT = 2_048
WAIT_SECONDS = 2.0


class Full(Exception):
    """No room within WAIT_SECONDS, or too many wait already."""


class Gate:
    """At most `limit` exchanges at once; who waits is let in by turns of the consumers."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._active: dict[str, int] = {}
        self._total = self._waiting = 0
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}

    @property
    def active(self) -> int:
        return self._total

    @property
    def waiting(self) -> int:
        return self._waiting

    @property
    def limit(self) -> int:
        """Exchanges at once; of one consumer at most CONSUMER_SHARE of them."""
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._limit, self._share = limit, max(1, int(limit * CONSUMER_SHARE))

    def admit(self, consumer: str) -> bool:
        """Whether there is room now, which is then taken; who waits goes first."""
        active = self._active.get(consumer, 0)
        if consumer in self._queues or self._total >= self._limit or active >= self._share:
            return False
        self._active[consumer], self._total = active + 1, self._total + 1
        return True

    async def enter(self, consumer: str) -> None:
        """Waits for room; `leave` afterwards in every case but that of an exception.

        Raises: Full.
        """
        if self.admit(consumer):
            return
        queue = self._queues.setdefault(consumer, deque())
        if len(queue) >= QUEUED_A_CONSUMER or self._waiting >= QUEUED_LIMIT:
            raise Full
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await turn
        except TimeoutError:
            self._forget(consumer, turn)
            raise Full from None
        except asyncio.CancelledError:
            self._forget(consumer, turn)
            raise

    def leave(self, consumer: str) -> None:
        left = self._active.pop(consumer) - 1
        if left:
            self._active[consumer] = left
        self._total -= 1
        if self._queues:
            self._let_in()

    def _has_room(self, consumer: str) -> bool:
        return self._total < self._limit and self._active.get(consumer, 0) < self._share

    def _admit(self, consumer: str) -> None:
        self._active[consumer] = self._active.get(consumer, 0) + 1
        self._total += 1

    def _let_in(self) -> None:
        """One turn for each consumer who waits, the one served longest ago first."""
        for consumer in list(self._queues):
            if not self._has_room(consumer):
                continue
            queue = self._queues.pop(consumer)
            turn = self._next(queue)
            if queue:
                self._queues[consumer] = queue  # at the end: others come first now
            if turn is not None:
                self._admit(consumer)
                turn.set_result(None)

    def _next(self, queue: deque[asyncio.Future[None]]) -> asyncio.Future[None] | None:
        """Who has waited longest and has not given up at this very moment."""
        while queue:
            turn = queue.popleft()
            self._waiting -= 1
            if not turn.done():
                return turn
        return None

    def _forget(self, consumer: str, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            self.leave(consumer)  # let in at the very moment it gave up
            return
        queue = self._queues.get(consumer)
        if queue is not None and turn in queue:
            queue.remove(turn)
            self._waiting -= 1
            if not queue:
                del self._queues[consumer]
