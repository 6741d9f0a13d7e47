"""Writes what became of deliveries by group commit, on the connection that holds the lock.

So a dispatcher that lost its lock can write no more. What is lost in between is sent again, and
the receiver knows it by its webhook-id.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sebalai_exchange.deliveries.store import Attempt, LaneRow, Open, write

PENDING_MAX = 5_000


class Writer:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._attempts: list[Attempt] = []
        self._opens: dict[tuple[UUID, int], Open | None] = {}
        self._lanes: dict[UUID, LaneRow] = {}
        self._bell, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._flushed: list[asyncio.Future[None]] = []

    async def wait_for_room(self) -> None:
        """Returns once fewer than PENDING_MAX results wait to be written."""
        await self._room.wait()

    def note(
        self, lane: LaneRow, attempt: Attempt | None = None, opens: Sequence[Open] = (),
        closed: tuple[UUID, int] | None = None,
    ) -> None:  # fmt: skip
        """Takes a result; positions of lanes only move with or after what they passed."""
        if attempt is not None:
            self._attempts.append(attempt)
        for one in opens:
            self._opens[one.subscription, one.pos] = _copy(one)
        if closed is not None:
            self._opens[closed] = None
        self._lanes[lane.subscription] = lane
        if len(self._attempts) + len(self._opens) >= PENDING_MAX:
            self._room.clear()
        self._bell.set()

    async def flushed(self) -> None:
        """Returns once everything noted so far is committed."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flushed.append(waiter)
        self._bell.set()
        await waiter

    async def run(self) -> None:
        """Runs until cancelled. Raises whatever the driver raises: then the lock is gone too."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            attempts, self._attempts = self._attempts, []
            opens, self._opens = self._opens, {}
            lanes, self._lanes = self._lanes, {}
            waiters, self._flushed = self._flushed, []
            if attempts or opens or lanes:
                await write(self._connection, attempts, opens, list(lanes.values()))
            self._room.set()
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)


def _copy(one: Open) -> Open:
    return Open(**{name: getattr(one, name) for name in Open.__dataclass_fields__})
