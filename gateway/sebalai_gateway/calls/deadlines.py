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
        # Kept, because asking for it is a system call before Python 3.12.
        self._loop: asyncio.AbstractEventLoop | None = None

    def within(self, seconds: float) -> Bound:
        """A block of the running task."""
        if self._timer is None:
            self._watch()
        return Bound(self.bounds, time.monotonic() + seconds, asyncio.current_task(self._loop))

    def _watch(self) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(SWEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        self._timer, now = None, time.monotonic()
        for bound in [one for one in self.bounds if one.ends <= now]:
            bound.cut()
        if self.bounds:
            self._watch()


class Bound:
    """As asyncio.timeouts.Timeout: a cancellation of its own becomes TimeoutError, another's passes
    through.
    """

    __slots__ = ("_bounds", "_cancelling", "_is_cut", "_task", "ends")
    _task: asyncio.Task[object] | None

    def __init__(self, bounds: set[Bound], ends: float, task: asyncio.Task[object] | None) -> None:
        if task is None:
            msg = "a bound is for the inside of a task"
            raise RuntimeError(msg)
        self._bounds, self.ends, self._task, self._is_cut = bounds, ends, task, False
        self._cancelling = task.cancelling()

    def __enter__(self) -> None:
        self._bounds.add(self)

    def cut(self) -> None:
        """Ends the block, once."""
        self._bounds.discard(self)
        if self._task is not None:
            self._is_cut = True
            self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        self._bounds.discard(self)
        task, self._task = self._task, None
        if not self._is_cut or task is None:
            return
        is_ours = task.uncancel() <= self._cancelling
        if is_ours and isinstance(error, asyncio.CancelledError):
            raise TimeoutError from error
