"""Reads the province's reference tables and brings a table to their state.

Owns the CSV form and the provenance of rows. Does not own what the rows mean: slices do.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sebalai_shared.database import Base
from sqlalchemy import literal_column, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

ANY_KEY = "*"
ROWS_MAX = 10_000

Row = dict[str, Any]


class Provenance(BaseModel):
    """Where a fact comes from, and whether it was read in a public source."""

    status: str
    source: str


@dataclass(frozen=True)
class Counts:
    inserted: tuple[str, ...] = ()
    changed: int = 0
    unchanged: int = 0

    def as_dict(self) -> dict[str, int]:
        return {
            "inserted": len(self.inserted),
            "changed": self.changed,
            "unchanged": self.unchanged,
        }


class ReferenceFolder:
    """The folder REFERENCE_DIR names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._provenance = {
            (row["file"], row["key"]): Provenance(status=row["status"], source=row["source"])
            for row in self.rows("provenance.csv")
        }

    def rows(self, file: str) -> list[dict[str, str]]:
        """Raises `ValueError` when the file is longer than any table of a province."""
        with (self._folder / file).open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        if len(rows) > ROWS_MAX:
            msg = f"{file} has more than {ROWS_MAX} rows"
            raise ValueError(msg)
        return rows

    def provenance(self, file: str, key: str) -> Provenance:
        """Raises `KeyError`: a fact without a source is not loaded."""
        found = self._provenance.get((file, key)) or self._provenance.get((file, ANY_KEY))
        if found is None:
            msg = f"provenance.csv has no row for {file}, {key}"
            raise KeyError(msg)
        return found


async def bring(
    session: AsyncSession, table: type[Base], key: str, rows: Sequence[Mapping[str, Any]]
) -> Counts:
    """Inserts new rows and changes those that differ; `id` is kept once given."""
    if not rows:
        return Counts()
    kept = [name for name in rows[0] if name not in {key, "id"}]
    query = insert(table).values([dict(row) for row in rows])
    told = query.on_conflict_do_update(
        index_elements=[key],
        set_={name: query.excluded[name] for name in kept},
        where=tuple_(*(getattr(table, name) for name in kept)).is_distinct_from(
            tuple_(*(query.excluded[name] for name in kept))
        ),
    ).returning(getattr(table, key), literal_column("(xmax = 0)"))
    touched: Sequence[Any] = (await session.execute(told)).all()
    inserted = tuple(sorted(str(name) for name, is_new in touched if is_new))
    return Counts(inserted, len(touched) - len(inserted), len(rows) - len(touched))
