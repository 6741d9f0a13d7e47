"""The present as publishers are held against it: it never goes back.

A host's clock that is put back by hours would make the honest times of everybody else look as if
they lay ahead, and refuse their events until it has caught up.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sebalai_shared.clock import Clock


class LatestClock:
    """The later of what `clock` says, and of what it said at the start with the seconds that have
    passed since by `steady`, which nobody can set.
    """

    def __init__(self, clock: Clock, steady: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._steady = clock, steady
        self._began_at, self._began = clock.now(), steady()

    def now(self) -> datetime:
        passed = timedelta(seconds=self._steady() - self._began)
        return max(self._clock.now(), self._began_at + passed)
