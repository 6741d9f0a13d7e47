"""A histogram that is added to in plain numbers and told once in a while: what a call costs it is
a place in a list. Does not own how it is read (`listener`).
"""

from __future__ import annotations

from bisect import bisect_right

from prometheus_client import Histogram

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Times(Histogram):
    """`add` as often as needed, `tell` before it is read."""

    def tell(self) -> None:
        """Hands on what was added since the last time."""
        values = sorted(self._values)
        self._values.clear()
        ends = [*(bisect_right(values, bound) for bound in SECONDS), len(values)]
        for bucket, begins, end in zip(self._buckets, [0, *ends], ends, strict=False):
            if end > begins:
                bucket.inc(end - begins)
        self._sum.inc(sum(values))

    def _metric_init(self) -> None:
        super()._metric_init()
        self._values: list[float] = []
        # In seconds; without a function of ours between.
        self.add = self._values.append
