"""Decisions about official lists: who gets which rows, and how long a list may be."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.problems import Problem
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.lists import store
from sebalai_archive.lists.kinds import Kind, columns_of
from sebalai_archive.lists.rows import Cell, cells_of
from sebalai_archive.reader import Reader
from sebalai_archive.records import actions as records
from sebalai_archive.records.actions import keeping
from sebalai_archive.retention.actions import civil_date
from sebalai_archive.standing import actions as standing

ROWS_MAX = 50_000  # 12 s of processor as Excel, 1 s as CSV


class ListTooLarge(Problem):
    status, slug, title = 413, "list-too-large", "The list is too long for one file"


async def rows_of(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    kind: Kind,
    narrowed: tuple[str | None, UUID | None],
) -> AsyncGenerator[list[Sequence[Cell]]]:
    """Batches of the caller's agency's list, of what the caller may know. `narrowed`: a code with
    all below it, a file unit. Raises `ListTooLarge` past `ROWS_MAX` rows.
    """
    reader = await standing.enter_as(session, clock, caller)
    known, today = records.known_to(reader), civil_date(clock.now())
    asked = store.Asked(kind, caller.agency or "", today, known, *narrowed)
    made = store.file_units if kind == "file-units" else store.records
    names = [one.name for one in columns_of(kind)]
    place, cells = 0, cells_of(kind)
    async for some in store.batches(session, made(asked, records.Record, keeping.FileUnit)):
        batch: list[Sequence[Cell]] = []
        for row in some:
            if kind == "file-units" and not _may_know(reader, row):
                continue
            place += 1
            facts = {**cells(row), "place": place}
            batch.append([facts[name] for name in names])
        if place > ROWS_MAX:
            raise ListTooLarge(f"More than {ROWS_MAX} rows; narrow it by `classification`.")
        yield batch


def _may_know(reader: Reader, row: Any) -> bool:
    return keeping.may_know_file_unit(reader, row[0])
