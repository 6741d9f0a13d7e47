"""What identity has revoked, in memory: looked up at every use of a token, a cached one too.

Entries end by themselves, because a revoked token ends by itself; so the set cannot grow without
end. Owns the look-up; `routing.feeds` keeps it fresh.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

ENTRIES_LIMIT = 500_000
Entry = tuple[str, int, int]


class RevokedSet:
    """`version` is identity's cursor; -1 until identity was heard. It stands while an older
    transaction there is open, so what was heard meanwhile is counted in `changes`.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._entries: dict[str, tuple[int, int]] = {}
        self.version = -1
        self.changes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def take(self, version: int, entries: Iterable[Entry], *, is_whole: bool) -> None:
        """Adds entries (key, not before, end in seconds); `is_whole` lets all others go.

        Raises:
            ValueError: it would hold more than ENTRIES_LIMIT.
        """
        now = self._clock()
        kept = {} if is_whole else self._living(now)
        for key, not_before, end in entries:
            known = kept.get(key, (0, 0))
            kept[str(key)] = (max(known[0], int(not_before)), max(known[1], int(end)))
        if len(kept) > ENTRIES_LIMIT:
            msg = f"more than {ENTRIES_LIMIT} revocations at a time"
            raise ValueError(msg)
        self._entries, self.version = kept, version
        self.changes += 1

    def _living(self, now: float) -> dict[str, tuple[int, int]]:
        return {key: entry for key, entry in self._entries.items() if entry[1] > now}

    def entries(self) -> list[Entry]:
        """A copy for the disk."""
        return [(key, *entry) for key, entry in self._living(self._clock()).items()]

    def names_any(self, keys: Iterable[str]) -> bool:
        """Whether any of them is revoked at all, whatever it covers: mostly none is."""
        return not self._entries.keys().isdisjoint(keys)

    def covers(self, key: str, issued_at: int) -> bool:
        entry = self._entries.get(key)
        return entry is not None and issued_at < entry[0]
