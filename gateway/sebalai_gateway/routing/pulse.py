"""Notices that this process stood still: it was stopped, moved with its machine, or starved.

What was told meanwhile may lie behind the calls that came meanwhile, so none of them goes out
before it was asked for anew (ADR 0034). Does not know what is told, nor by whom.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

BEAT_SECONDS = 0.25
STILL_SECONDS = 1.0


async def _nothing() -> None: ...


class Pulse:
    """`word` asks anew. Before the first `look` it has stood still for no time."""

    def __init__(
        self,
        word: Callable[[], Awaitable[None]] = _nothing,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._word, self._clock = word, clock
        self._beat, self._stops = math.inf, 0
        self._asking: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Runs until cancelled."""
        try:
            while True:
                self.look()
                await asyncio.sleep(BEAT_SECONDS)
        finally:
            if self._asking is not None:
                self._asking.cancel()

    @property
    def is_even(self) -> bool:
        """False from a standstill until it was asked anew. Whoever looks first notices it: after
        one the calls may be read before any timer runs.
        """
        if self._clock() - self._beat > STILL_SECONDS:
            self.look()
        return self._asking is None

    async def even(self) -> None:
        while not self.is_even and self._asking is not None:
            await asyncio.shield(self._asking)

    def look(self) -> None:
        now = self._clock()
        if now - self._beat > STILL_SECONDS:
            log.warning("stood still for %.1f s: calls wait for the word", now - self._beat)
            self._stops += 1
            self._asking = self._asking or asyncio.create_task(self._ask())
        self._beat = now

    async def _ask(self) -> None:
        """Again, if it stood still while it asked."""
        stops = -1
        try:
            while stops != self._stops:
                stops = self._stops
                await self._word()
        finally:
            self._asking = None
