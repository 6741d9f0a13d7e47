"""One open stream: its place in the log, and its sleep.

The hub wakes it for what it hears of alone; the rest of the log passes by. It has one timer, and
makes none for an event: a thousand of them would cost more than what they guard.
"""

import asyncio

from sebalai_exchange.deliveries.rights import Right


class Listener:
    def __init__(self, right: Right, position: int, beat_seconds: float) -> None:
        self.right, self.position, self._beat_seconds = right, position, beat_seconds
        self._bell, self._is_beat_due = asyncio.Event(), False
        self._timer = asyncio.get_running_loop().call_later(beat_seconds, self._beat)
        right.listeners.add(self)

    def close(self) -> None:
        self._timer.cancel()
        self.right.listeners.discard(self)

    def wake(self) -> None:
        self._bell.set()

    def hush(self) -> None:
        """To be called before a look at the log: what comes during it wakes again."""
        self._bell.clear()

    async def rest(self) -> bool:
        """Until there may be something to hear; True when it is time to show that it is there."""
        await self._bell.wait()
        is_due, self._is_beat_due = self._is_beat_due, False
        return is_due

    def pass_by(self, before: int, last: int) -> None:
        """The log grew behind `before` up to `last` by events it does not hear of."""
        if self.position >= before:
            self.position = max(self.position, last)

    def _beat(self) -> None:
        self._is_beat_due = True
        self._bell.set()
        self._timer = asyncio.get_running_loop().call_later(self._beat_seconds, self._beat)
