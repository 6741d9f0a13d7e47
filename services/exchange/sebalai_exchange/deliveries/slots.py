"""How many posts fly at once, shared by those of one kind, and how fast those that catch up go: no
kind takes turns of another's.

Of all subscribers of a dispatcher; what one lane may have under way is the lane's to know.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

FLYING_MAX = 256
# Lanes that catch up share fewer: they may take hours without a live one's noticing.
CATCHING_UP_MAX = 64
SLOW_SECONDS = 1.0
# All that catch up together. A post costs half a millisecond of the one event loop, so they
# leave four fifths of it to the live ones; a day's backlog of an event a second is through in four
# minutes.
CATCHING_UP_PER_SECOND = 400.0


class Pace:
    """Lets one through after another, at an even pace, in the order of asking."""

    def __init__(self, per_second: float) -> None:
        self._each, self._next = 1 / per_second, float("-inf")

    def delay(self, now: float) -> float:
        """Seconds which who asks at `now` has to wait."""
        self._next = max(self._next + self._each, now)
        return self._next - now


class Slots:
    def __init__(self) -> None:
        self._pace = Pace(CATCHING_UP_PER_SECOND)
        self._live, self._slow = asyncio.Semaphore(FLYING_MAX), asyncio.Semaphore(FLYING_MAX)
        self._behind = asyncio.Semaphore(CATCHING_UP_MAX)
        self._slow_and_behind = asyncio.Semaphore(CATCHING_UP_MAX)

    @asynccontextmanager
    async def of(self, *, is_slow: bool, is_behind: bool) -> AsyncGenerator[None]:
        """`is_slow`: the last answer took more than SLOW_SECONDS."""
        async with self._room(is_slow=is_slow, is_behind=is_behind):
            if is_behind:
                await asyncio.sleep(self._pace.delay(asyncio.get_running_loop().time()))
            yield

    def _room(self, *, is_slow: bool, is_behind: bool) -> asyncio.Semaphore:
        """One alone: who held one while waiting for another would keep it from everybody."""
        if is_behind:
            return self._slow_and_behind if is_slow else self._behind
        return self._slow if is_slow else self._live
