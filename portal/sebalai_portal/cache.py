"""Answers kept for seconds, so that page views do not multiply calls: whoever asks for the same
thing while it is being fetched waits for that one call, and failures are kept shortly as well.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from sebalai_shared.clock import Clock

from sebalai_portal.failures import NotFound, Unavailable

ENTRIES_LIMIT = 256
FAILURE_KEPT = timedelta(seconds=2)

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Kept:
    until: datetime
    outcome: asyncio.Task[Any]


class Cache:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def get(self, key: str, fresh: timedelta, fetch: Callable[[], Awaitable[Value]]) -> Value:
        """What `fetch` answered within `fresh`, or what it answers now.

        Raises: Unavailable, NotFound, as `fetch` does.
        """
        kept = self._kept.get(key)
        if kept is None or self._is_stale(kept):
            kept = self._begin(key, fresh, fetch)
        self._kept.move_to_end(key)
        # Shielded: a visitor who leaves must not break the call that others wait for.
        return cast("Value", await asyncio.shield(kept.outcome))

    def _is_stale(self, kept: _Kept) -> bool:
        return kept.outcome.done() and self._clock.now() >= kept.until

    def _begin(self, key: str, fresh: timedelta, fetch: Callable[[], Awaitable[Value]]) -> _Kept:
        async def run() -> Value:
            try:
                value = await fetch()
            except (Unavailable, NotFound):
                self._keep(key, FAILURE_KEPT)
                raise
            self._keep(key, fresh)
            return value

        task = asyncio.create_task(run())
        task.add_done_callback(_take_note)
        kept = self._kept[key] = _Kept(self._clock.now() + fresh, task)
        while len(self._kept) > ENTRIES_LIMIT:
            self._kept.popitem(last=False)
        return kept

    def _keep(self, key: str, fresh: timedelta) -> None:
        """Counts freshness from the answer on, not from the question."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept[key] = _Kept(self._clock.now() + fresh, kept.outcome)


def _take_note(task: asyncio.Task[Any]) -> None:
    """Reads the outcome once, so that a failure nobody waited for is not reported as lost."""
    if not task.cancelled():
        task.exception()
