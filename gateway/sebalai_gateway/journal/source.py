"""What the relay reads from the journal: completed calls, many to a message (wiring 10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sebalai_shared.broker import JOURNAL
from sebalai_shared.relay import Cursor, Outgoing

SUBJECT = "journal.calls.v1"
ROWS_A_MESSAGE = 256
MESSAGES_A_PASS = 8

_BELOW_HORIZON = """
SELECT xid::text AS xid, seq, record::text AS record FROM journal
WHERE phase = 'completed' AND (xid, seq) > ($1::text::xid8, $2)
  AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY journal.xid, seq LIMIT $3
"""


class JournalSource:
    """A source for `sebalai_shared.relay.Relay`; partitions are dropped by day, nothing swept.

    It is looked at and rings no bell: commits that notify go one by one in all of PostgreSQL, and
    a call would wait behind the facts of every member (ADR 0033).
    """

    name = "journal"
    doorbell: str | None = None
    idle_seconds = 0.2

    def __init__(self, stream: str = JOURNAL["name"]) -> None:
        self.stream = stream

    async def read(self, connection: Any, after: Cursor, limit: int) -> list[Outgoing]:
        """Up to MESSAGES_A_PASS messages of ROWS_A_MESSAGE records; `limit` counts messages."""
        rows = await connection.fetch(
            _BELOW_HORIZON,
            str(after.xid),
            after.seq,
            ROWS_A_MESSAGE * min(limit, MESSAGES_A_PASS),
        )
        return [
            _message(rows[start : start + ROWS_A_MESSAGE])
            for start in range(0, len(rows), ROWS_A_MESSAGE)
        ]

    async def is_waiting(self, connection: Any, after: Cursor) -> bool:
        rows = await connection.fetch(
            "SELECT 1 FROM journal WHERE phase = 'completed' "
            "AND (xid, seq) > ($1::text::xid8, $2) LIMIT 1",
            str(after.xid),
            after.seq,
        )
        return bool(rows)

    async def rewound(self, connection: Any, back: timedelta) -> Cursor:
        rows = await connection.fetch(
            "SELECT xid::text AS xid, seq FROM journal WHERE phase = 'completed' "
            "AND day >= (now() - $1::interval)::date AND at > now() - $1::interval "
            "ORDER BY journal.xid, seq LIMIT 1",
            back,
        )
        if not rows:
            return Cursor(0, 0, is_end=True)
        return Cursor(int(rows[0]["xid"]), int(rows[0]["seq"]) - 1)

    async def sweep(self, connection: Any, done: Cursor) -> None:
        """Partitions are dropped whole by `jobs.keep_partitions`."""


def _message(rows: Sequence[Any]) -> Outgoing:
    first, last = rows[0], rows[-1]
    return Outgoing(
        cursor=Cursor(int(last["xid"]), int(last["seq"])),
        subject=SUBJECT,
        message_id=f"journal-{first['seq']}-{last['seq']}",
        payload=("[" + ",".join(row["record"] for row in rows) + "]").encode(),
        headers={"Content-Type": "application/json"},
    )
