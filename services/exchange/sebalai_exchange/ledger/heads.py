"""The last signed checkpoint of each log, kept beside the database and not in it.

A database that was put back to an earlier state would number anew what was numbered and signed:
two roots of one size, and receipts that no log bears out. So what was signed last is a file too
(the note itself, for anyone to check), and nothing is numbered before the database holds it. What
an operator does about it: `deploy/runbooks/restore.md`.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sebalai_exchange.ledger import merkle
from sebalai_exchange.ledger.tiles import stored


class LedgerBehindError(Exception):
    """The database holds less than, or something else than, what was signed."""


class Heads:
    """`folder`: one file a log; without one nothing is kept and nothing required."""

    def __init__(self, folder: Path | None, origin: str) -> None:
        self._folder, self._origin = folder, origin
        self._kept = dict[str, str]()

    async def keep(self, connection: Any) -> None:
        """Writes the present checkpoints, after their transaction; one that is lost by a crash just
        then is older, which asks for less.
        """
        if self._folder is None:
            return
        rows = await connection.fetch(
            "SELECT name, checkpoint FROM ledger_log WHERE checkpoint IS NOT NULL"
        )
        for row in rows:
            if self._kept.get(row["name"]) != row["checkpoint"]:
                self._write(row["checkpoint"])
                self._kept[row["name"]] = row["checkpoint"]

    def _write(self, note: str) -> None:
        folder = self._folder or Path()
        place = folder / quote(note.partition("\n")[0], safe="")
        unfinished = place.with_name(f".{place.name}.new")
        unfinished.write_text(note, encoding="utf-8")
        unfinished.rename(place)

    async def require(self, connection: Any) -> None:
        """Raises `LedgerBehindError`, `OSError`."""
        if self._folder is None:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ours = f"{self._origin}/"
        for place in self._folder.glob(f"{quote(ours, safe='')}*"):
            origin, size, root, *_ = place.read_text(encoding="utf-8").split("\n")
            name = origin.removeprefix(ours)
            await _require(connection, name, int(size), base64.b64decode(root))


async def _require(connection: Any, name: str, size: int, root: bytes) -> None:
    held = await connection.fetchval("SELECT size FROM ledger_log WHERE name = $1", name) or 0
    if held < size:
        raise LedgerBehindError(
            f"{name} holds {held} entries, but {size} were signed: what was restored is older. "
            "Restore the write-ahead log up to its end, or begin under another origin"
        )
    tiles = await stored(connection, name, merkle.tiles_for([(0, size)]))
    if merkle.root(tiles, size) != root:
        raise LedgerBehindError(
            f"{name} has another root at {size} entries than was signed: it is not the same log. "
            "Restore the database that signed it, or begin under another origin"
        )
