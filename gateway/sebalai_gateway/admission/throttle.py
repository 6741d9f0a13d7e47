"""Slows a source of bad tokens: verifying one costs 90 to 215 µs, so guesses are an attack.

A source whose tokens are good is never slowed, since those come from the cache before this.
"""

from __future__ import annotations

from collections.abc import Callable

from sebalai_gateway.admission.faults import too_many

FAILURES_A_MINUTE = 100
WINDOW_SECONDS = 60.0
SOURCES_LIMIT = 10_000


class FailureThrottle:
    """A window per source address; the table is bounded, the oldest window goes first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}

    def check(self, source: str) -> None:
        """Raises: Refusal, when the source has used up its failures of this window."""
        began, failures = self._windows.get(source, (0.0, 0))
        left = began + WINDOW_SECONDS - self._clock()
        if failures >= FAILURES_A_MINUTE and left > 0:
            raise too_many(int(left) + 1)

    def note(self, source: str) -> None:
        now = self._clock()
        began, failures = self._windows.get(source, (now, 0))
        if now - began >= WINDOW_SECONDS:
            began, failures = now, 0
        elif source not in self._windows and len(self._windows) >= SOURCES_LIMIT:
            self._windows.pop(next(iter(self._windows)))
        self._windows[source] = (began, failures + 1)
