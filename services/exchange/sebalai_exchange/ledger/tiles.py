"""Tiles of a log as they lie in the database, read on a connection of the driver."""

from collections.abc import Collection
from typing import Any

Place = tuple[int, int]
"""Level and number of a tile."""


async def stored(connection: Any, name: str, places: Collection[Place]) -> dict[Place, bytes]:
    """Those of the log `name` that are there."""
    rows = await connection.fetch(
        """
        SELECT level, number, hashes FROM ledger_tile
        JOIN unnest($2::smallint[], $3::bigint[]) AS w(level, number) USING (level, number)
        WHERE log = $1
        """,
        name,
        [level for level, _ in places],
        [number for _, number in places],
    )
    return {(row["level"], row["number"]): row["hashes"] for row in rows}
