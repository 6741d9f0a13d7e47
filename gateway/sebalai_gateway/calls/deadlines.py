"""Bounds on whole exchanges, all by one timer: a call is cut at most SWEEP_SECONDS late.

`asyncio.timeout` arms and disarms a timer of its own for each block, at 6 µs a block.
"""

from __future__ import annotations

import asyncio
import time
from types import TracebackType

SWEEP_SECONDS = 0.1


class Deadlines:
    """One an event loop; `within` is a block that ends in TimeoutError when it takes longer."""

    def __init__(self) -> None:
        self.bounds: set[Bound] = set()
        self._timer: asyncio.TimerHandle | None = None

    def within(self, seconds: float) -> Bound:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)
        return Bound(self, time.monotonic() + seconds)

    def _sweep(self) -> None:
        now = time.monotonic()
        for bound in [one for one in self.bounds if one.ends <= now]:
            bound.cut()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(SWEEP_SECONDS, self._sweep) if self.bounds else None


class Bound:
    """As asyncio.timeouts.Timeout: a cancellation of its own becomes TimeoutError, another's passes
    through.
    """

    __slots__ = ("_cancelling", "_deadlines", "_is_cut", "_task", "ends")

    def __init__(self, deadlines: Deadlines, ends: float) -> None:
        self._deadlines, self.ends, self._is_cut = deadlines, ends, False
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            msg = "a bound is for the inside of a task"
            raise RuntimeError(msg)
        self._task, self._cancelling = task, task.cancelling()
        self._deadlines.bounds.add(self)

    def cut(self) -> None:
        """Ends the block, once."""
        self._deadlines.bounds.discard(self)
        if self._task is not None:
            self._is_cut = True
            self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        self._deadlines.bounds.discard(self)
        task, self._task = self._task, None
        if not self._is_cut or task is None:
            return
        is_ours = task.uncancel() <= self._cancelling
        if is_ours and isinstance(error, asyncio.CancelledError):
            raise TimeoutError from error
