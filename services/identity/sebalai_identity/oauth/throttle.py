"""Slows whoever guesses at the provider: bad proofs of a client, and user codes of devices.

Counted by source and by what is guessed at, never by the latter alone: a stranger who fails under
an official's or an application's name slows himself, and nobody is locked out. A source that fails
under ever new names is slowed as a whole, much later. Per process, bounded.
"""

from collections.abc import Callable

from sebalai_shared.problems import Problem

FAILURES_MAX = 20
WINDOW_SECONDS = 60.0
DEVICE_FAILURES_MAX = 20
DEVICE_WINDOW_SECONDS = 3600.0
OUTSIDE_TRIES_MAX = 30
"""Sign-ins with an outside provider a minute from one network: each costs the provider a call."""
ENTRIES_MAX = 20_000
NAME_LENGTH_MAX = 64
NAMES_A_SOURCE = 15
ANY = "*"


class TooManyTries(Problem):
    status, slug, title = 429, "too-many-tries", "Too many failed tries from here"


class Throttle:
    """A window for each (source, name); the table is bounded, the oldest window goes first."""

    def __init__(self, clock: Callable[[], float], failures: int, seconds: float) -> None:
        self._clock, self._failures, self._seconds = clock, failures, seconds
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}

    def check(self, source: str, name: str) -> None:
        """Raises `TooManyTries` with `Retry-After`."""
        self._check(_key(source, name), self._failures)
        self._check((source, ANY), self._failures * NAMES_A_SOURCE)

    def _check(self, key: tuple[str, str], limit: int) -> None:
        began, failures = self._windows.get(key, (0.0, 0))
        left = began + self._seconds - self._clock()
        if failures >= limit and left > 0:
            wait = str(int(left) + 1)
            raise TooManyTries(f"Try again in {wait} seconds.", headers={"Retry-After": wait})

    def note(self, source: str, name: str) -> None:
        self._note(_key(source, name))
        self._note((source, ANY))

    def _note(self, key: tuple[str, str]) -> None:
        now = self._clock()
        began, failures = self._windows.pop(key, (now, 0))
        if now - began >= self._seconds:
            began, failures = now, 0
        if len(self._windows) >= ENTRIES_MAX:
            self._windows.pop(next(iter(self._windows)))
        self._windows[key] = (began, failures + 1)


def _key(source: str, name: str) -> tuple[str, str]:
    return source, name[:NAME_LENGTH_MAX]
