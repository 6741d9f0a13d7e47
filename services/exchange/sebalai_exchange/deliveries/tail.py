"""The newest events of the log in memory, so that a thousand lanes read each of them once.

Lanes that are further behind read the database; the tail is bounded by count and bytes.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence

from sebalai_shared.database import Database

from sebalai_exchange.publishing.actions import Stored, events_after, events_at, head

TAIL_EVENTS = 5_000
TAIL_BYTES = 16 * 1024 * 1024
READ_ROWS = 500
# Of what is no longer in memory: a lane takes no more at once, and reading holds everybody up.
OLD_ROWS = 100
# Of the pool's connections: a thousand lanes that are behind must not keep the tail from growing.
OLD_READS_MAX = 4


class Tail:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._events: deque[Stored] = deque()
        self._bytes = 0
        self._old_reads = asyncio.Semaphore(OLD_READS_MAX)
        self.last = 0

    async def open(self) -> None:
        """Begins at the log's present end, also a second time: what it holds has no gaps."""
        async with self._database.transaction() as session:
            last = await head(session)
        self._events.clear()
        self._bytes, self.last = 0, last

    async def grow(self) -> list[Stored]:
        """Reads what came since; at most READ_ROWS a call."""
        async with self._database.transaction() as session:
            found = await events_after(session, position=self.last, limit=READ_ROWS)
        for event in found:
            self._events.append(event)
            self._bytes += len(event.document)
        if found:
            self.last = found[-1].pos
        while len(self._events) > TAIL_EVENTS or self._bytes > TAIL_BYTES:
            self._bytes -= len(self._events.popleft().document)
        return list(found)

    async def after(self, position: int, kinds: Iterable[str]) -> tuple[Sequence[Stored], int]:
        """Events of `kinds` behind `position`, and the position that is read now."""
        if self._events and position >= self._events[0].pos - 1:
            wanted = set(kinds)
            first = position + 1 - self._events[0].pos
            found = [
                event for event in _slice(self._events, first, READ_ROWS) if event.type in wanted
            ]
            return found, min(self.last, position + READ_ROWS)
        if position >= self.last:
            return [], position
        upto = self.last
        async with self._old_reads, self._database.transaction() as session:
            found = await events_after(
                session, position=position, limit=OLD_ROWS, kinds=list(kinds)
            )
        is_full = len(found) == OLD_ROWS
        return found, found[-1].pos if is_full else upto

    async def at(self, position: int) -> Stored | None:
        """One event by its position; None when its time was over and it is forgotten."""
        if self._events and self._events[0].pos <= position <= self.last:
            return self._events[position - self._events[0].pos]
        async with self._old_reads, self._database.transaction() as session:
            found = await events_at(session, positions=[position])
        return found[0] if found else None


def _slice(events: deque[Stored], first: int, count: int) -> Iterable[Stored]:
    for number in range(first, min(first + count, len(events))):
        yield events[number]
