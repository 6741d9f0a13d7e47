"""The routing table on disk: one signed snapshot a line, a whole one and the changes since.

A gateway starts from it with the whole control plane down. Several workers write the same file;
a line that does not fit is passed over when it is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sebalai_gateway.routing.feed import write_whole

CHANGES_KEPT = 1_000


class KeptRoutes:
    """`version` is how far the lines of this process reach."""

    def __init__(self, path: Path) -> None:
        self._path, self._changes, self.version = path, 0, -1

    @property
    def is_long(self) -> bool:
        """Whether a whole snapshot should take the place of so many changes."""
        return self._changes > CHANGES_KEPT

    def lines(self) -> Iterator[bytes]:
        """Raises: OSError."""
        with self._path.open("rb") as file:
            for line in file:
                if line.strip():
                    yield line.strip()

    def loaded(self, version: int, *, is_whole: bool) -> None:
        """Notes a line that was read and taken."""
        self.version, self._changes = version, 0 if is_whole else self._changes + 1

    def keep(self, copy: bytes, version: int, after: int) -> None:
        """A whole snapshot replaces all; a change is added where it continues what is there."""
        if after == 0:
            write_whole(self._path, copy + b"\n")
            self.version, self._changes = version, 0
        elif after <= self.version < version:
            with self._path.open("ab") as file:
                file.write(copy + b"\n")
                file.flush()
                os.fsync(file.fileno())
            self.version, self._changes = version, self._changes + 1
