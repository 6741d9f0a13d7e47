"""Tables whose rows all end soon: their partitions are used in turn by the rows' end, and the one
that lies wholly in the past is emptied at once instead of row by row.

Slots in a circle, not dated partitions: no insert ever lacks its partition, whatever the worker
missed, and nothing has to be made ahead. Owns the arithmetic and the emptying; a migration makes
the table and its SLOTS partitions.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

SLOTS = 4
LOCK_TIMEOUT_MS = 500


@dataclass(frozen=True)
class Round:
    """A partitioned table, and the width of one slot. A row may end at most `reach` ahead."""

    table: str
    width: timedelta

    @property
    def reach(self) -> timedelta:
        return self.width * (SLOTS - 2)

    @property
    def slots(self) -> list[int]:
        return list(range(SLOTS))

    def slot(self, end: datetime) -> int:
        return int(end.timestamp() // self.width.total_seconds()) % SLOTS

    def past(self, now: datetime) -> int:
        """The slot in which no row can be alive: it ended one width ago, or comes last."""
        return (self.slot(now) - 1) % SLOTS

    async def empty_past(self, session: AsyncSession, now: datetime) -> bool:
        """Whether there was something to empty. Gives up within LOCK_TIMEOUT_MS: it comes again.

        Raises `DBAPIError` when the lock was not to be had.
        """
        name = f"{self.table}_{self.past(now)}"
        found = await session.scalar(text(f"SELECT EXISTS (SELECT FROM {name})"))  # noqa: S608
        if found:
            await session.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"))
            await session.execute(text(f"TRUNCATE {name}"))
        return bool(found)
