"""How many posts fly at once, shared by those of one kind: no kind takes turns of another's.

Of all subscribers of a dispatcher; what one lane may have under way is the lane's to know.
"""

import asyncio

FLYING_MAX = 256
# Lanes that catch up share fewer: they may take hours without a live one's noticing.
CATCHING_UP_MAX = 64
SLOW_SECONDS = 1.0


class Slots:
    def __init__(self) -> None:
        self._live, self._slow = asyncio.Semaphore(FLYING_MAX), asyncio.Semaphore(FLYING_MAX)
        self._behind = asyncio.Semaphore(CATCHING_UP_MAX)
        self._slow_and_behind = asyncio.Semaphore(CATCHING_UP_MAX)

    def of(self, *, is_slow: bool, is_behind: bool) -> asyncio.Semaphore:
        """`is_slow`: the last answer took more than SLOW_SECONDS. One semaphore alone: who held one
        while waiting for another would keep it from everybody.
        """
        if is_behind:
            return self._slow_and_behind if is_slow else self._behind
        return self._slow if is_slow else self._live
