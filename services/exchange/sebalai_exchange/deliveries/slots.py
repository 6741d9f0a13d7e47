"""How many posts fly at once, shared by those of one kind, and how fast those that catch up go: no
kind takes turns of another's.

Of all subscribers of a dispatcher; what one lane may have under way is the lane's to know.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

FLYING_MAX = 256
# Lanes that catch up share fewer: they may take hours without a live one's noticing.
CATCHING_UP_MAX = 64
# Of either, one application's, however many subscriptions it has: an address that was never posted
# to may hold its turn for as long as a post may take.
FLYING_OF_ONE_MAX = 64
CATCHING_UP_OF_ONE_MAX = 16
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


class Room:
    """So many turns at once, and so many of them one application's."""

    def __init__(self, turns: int, turns_of_one: int) -> None:
        self._turns, self._of_one = asyncio.Semaphore(turns), turns_of_one
        self._own: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, application: str) -> AsyncGenerator[None]:
        # Its own first: who waits there keeps nobody else waiting.
        own = self._own.setdefault(application, asyncio.Semaphore(self._of_one))
        async with own, self._turns:
            yield


class Slots:
    def __init__(self) -> None:
        self._pace = Pace(CATCHING_UP_PER_SECOND)
        self._live, self._slow = (Room(FLYING_MAX, FLYING_OF_ONE_MAX) for _ in range(2))
        self._behind, self._slow_and_behind = (
            Room(CATCHING_UP_MAX, CATCHING_UP_OF_ONE_MAX) for _ in range(2)
        )

    @asynccontextmanager
    async def of(self, application: str, *, is_slow: bool, is_behind: bool) -> AsyncGenerator[None]:
        """`is_slow`: the last answer took more than SLOW_SECONDS."""
        async with self._room(is_slow=is_slow, is_behind=is_behind).turn(application):
            if is_behind:
                await asyncio.sleep(self._pace.delay(asyncio.get_running_loop().time()))
            yield

    def _room(self, *, is_slow: bool, is_behind: bool) -> Room:
        """One alone: who held one while waiting for another would keep it from everybody."""
        if is_behind:
            return self._slow_and_behind if is_slow else self._behind
        return self._slow if is_slow else self._live
