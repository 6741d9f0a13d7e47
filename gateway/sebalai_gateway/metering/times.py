"""A histogram that is added to in plain numbers and told once in a while: what a call costs it is
one look into a list. Does not own how it is read (`listener`).
"""

from __future__ import annotations

from bisect import bisect_left

from prometheus_client import Histogram

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Times(Histogram):
    """`add` as often as needed, `tell` before it is read."""

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(SECONDS, seconds)] += 1
        self._total += seconds

    def tell(self) -> None:
        for bucket, count in zip(self._buckets, self._counts, strict=True):
            if count:
                bucket.inc(count)
        self._sum.inc(self._total)
        self._forget()

    def _metric_init(self) -> None:
        super()._metric_init()
        self._forget()

    def _forget(self) -> None:
        self._counts, self._total = [0] * (len(SECONDS) + 1), 0.0
