"""Reads the reference folder: tables as CSV, and how sure each row is (`provenance.csv`).

Knows no table's meaning; each member loads the tables it owns.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

UNVERIFIED = "unverified"

_RANGE = re.compile(r"^(\D*)(\d+)\.\.\D*(\d+)$")


@dataclass(frozen=True, slots=True)
class Provenance:
    """`status` is verified, partly, unverified, inferred or synthetic."""

    status: str
    source: str


class ReferenceFolder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def rows(self, table: str) -> list[dict[str, str]]:
        """Raises: OSError when the folder has no such table."""
        with (self._folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def provenance(self, table: str, key: str) -> Provenance:
        """The row's own mark, else the table's (`*`); a row that nobody marked is unverified."""
        marks = self._marks.get(f"{table}.csv", {})
        found = marks.get(key) or marks.get("*")
        return found or Provenance(UNVERIFIED, "no source is recorded for this row")

    @cached_property
    def _marks(self) -> dict[str, dict[str, Provenance]]:
        marks: dict[str, dict[str, Provenance]] = {}
        for row in self.rows("provenance"):
            mark = Provenance(row["status"], row["source"])
            for key in _keys(row["key"]):
                marks.setdefault(row["file"], {})[key] = mark
        return marks


def _keys(text: str) -> Iterator[str]:
    """`U1..U7` and `U8,U9` name several rows; everything else names one."""
    spread = _RANGE.match(text)
    if spread is not None:
        prefix, first, last = spread.groups()
        yield from (f"{prefix}{number}" for number in range(int(first), int(last) + 1))
    else:
        yield from (part.strip() for part in text.split(","))
