"""Tables as files: CSV (RFC 4180, UTF-8) and Excel, written row by row to an open file.

What people typed never becomes a formula. In Excel each text is stored as text; a text of a CSV
that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV Injection").
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import xlsxwriter

from sebalai_archive.lists.kinds import Column
from sebalai_archive.lists.rows import Cell

FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n")
CELL_CHARACTERS_MAX = 32_767  # of Excel; a description here has at most 5,000
HEADING_ROW = 1


class Sheet(Protocol):
    media_type: str

    def add(self, rows: Iterable[Sequence[Cell]]) -> None: ...
    def close(self) -> None: ...


class CsvSheet:
    media_type = "text/csv; charset=utf-8; header=present"

    def __init__(self, file: BinaryIO, columns: Sequence[Column]) -> None:
        self._text = io.TextIOWrapper(file, "utf-8", newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow([one.heading for one in columns])

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        self._writer.writerows([[_plain(cell) for cell in row] for row in rows])

    def close(self) -> None:
        """The file itself stays open for its reader."""
        self._text.flush()
        self._text.detach()


class ExcelSheet:
    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def __init__(
        self, file: BinaryIO, columns: Sequence[Column], about: tuple[str, datetime, Path]
    ) -> None:
        """`about`: the title, when it is made, and where the parts of the file lie meanwhile."""
        title, at, folder = about
        options: dict[str, Any] = {"constant_memory": True, "tmpdir": str(folder)}
        self._book = xlsxwriter.Workbook(file, options)
        self._book.set_properties({"title": title, "created": at.replace(tzinfo=None)})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._sheet = self._book.add_worksheet("Daftar")
        for place, one in enumerate(columns):
            self._sheet.set_column(place, place, one.width)
        head = self._book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        for place, one in enumerate(columns):
            self._sheet.write_string(0, place, one.heading, head)
        self._sheet.freeze_panes(HEADING_ROW, 0)
        self._sheet.repeat_rows(0)
        self._sheet.set_header(f"&C{title}")
        self._next = HEADING_ROW

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        for row in rows:
            for place, cell in enumerate(row):
                self._put(place, cell)
            self._next += 1

    def _put(self, place: int, cell: Cell) -> None:
        if isinstance(cell, str):
            self._sheet.write_string(self._next, place, cell[:CELL_CHARACTERS_MAX])
        elif isinstance(cell, int):
            self._sheet.write_number(self._next, place, cell)
        elif cell is not None:
            at = datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 - a civil date
            self._sheet.write_datetime(self._next, place, at, self._day)

    def close(self) -> None:
        self._book.close()


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    text = str(cell)
    return f"'{text}" if isinstance(cell, str) and text.startswith(FORMULA_BEGINS) else text
