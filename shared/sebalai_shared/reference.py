"""The reference folder: tables as CSV and each row's provenance; knows no table's meaning."""

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


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
        return found or Provenance("unverified", "no source is recorded for this row")

    @cached_property
    def _marks(self) -> dict[str, dict[str, Provenance]]:
        marks: dict[str, dict[str, Provenance]] = {}
        for row in self.rows("provenance"):
            of_file = marks.setdefault(row["file"], {})
            of_file[row["key"]] = Provenance(row["status"], row["source"])
        return marks
