"""The transactional outbox: a fact is a row written in the transaction that made it true.

Rows stay seven days after they were relayed, so the stream can be rebuilt from them.
The relay (`relay.py`) carries them to NATS.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_shared.broker import EVENTS
from sebalai_shared.events import CONTENT_TYPE, EVENT_BYTES_LIMIT, SUBJECT_PREFIX, Event
from sebalai_shared.relay import IDLE_SECONDS, Cursor, Outgoing
from sebalai_shared.statements import execute
from sebalai_shared.telemetry import current_trace

KEPT = timedelta(days=7)
SWEEP_ROWS = 5_000
DOORBELL = "outbox"

# Frozen once released: a member's first migration executes these statements one by one.
DDL_V1 = (
    """
    CREATE TABLE outbox (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
      id uuid NOT NULL UNIQUE,
      type text NOT NULL,
      document jsonb NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX outbox_horizon ON outbox (xid, seq)",
    "CREATE INDEX outbox_created_at ON outbox (created_at)",
    """
    CREATE TABLE relay_cursor (
      name text PRIMARY KEY,
      xid xid8 NOT NULL,
      seq bigint NOT NULL,
      moved_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE FUNCTION ring_outbox() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('outbox', ''); RETURN NULL; END $$
    """,
    """
    CREATE TRIGGER outbox_bell AFTER INSERT ON outbox
    FOR EACH STATEMENT EXECUTE FUNCTION ring_outbox()
    """,
)

_INSERT = "INSERT INTO outbox (id, type, document) VALUES ($1, $2, $3::text::jsonb)"


class TooLarge(ValueError):
    """An event beyond EVENT_BYTES_LIMIT; send ids, let the reader fetch the rest."""


async def publish(session: AsyncSession, event: Event) -> Event:
    """Records the fact in the caller's transaction, joined to the running trace.

    Raises:
        TooLarge: the encoded event exceeds EVENT_BYTES_LIMIT.

    """
    document = event.document()
    trace = current_trace()
    if trace is not None:
        document.setdefault("traceparent", trace.traceparent)
    body = orjson.dumps(document)
    if len(body) > EVENT_BYTES_LIMIT:
        raise TooLarge(f"{event.type}: {len(body)} bytes")
    await execute(session, _INSERT, event.id, event.type, body.decode())
    return event


class Connection(Protocol):
    """The two things the relay asks of a driver connection (asyncpg's)."""

    async def fetch(self, query: str, *args: Any) -> Sequence[Any]: ...
    async def execute(self, query: str, *args: Any) -> str: ...


class OutboxSource:
    """What the relay reads: rows below the transaction-id horizon, in commit-safe order.

    `id > last` would skip rows that commit late (half of them, in the trial).
    """

    name = "outbox"
    doorbell: str | None = DOORBELL
    idle_seconds = IDLE_SECONDS

    def __init__(self, stream: str = EVENTS["name"]) -> None:
        self.stream = stream

    async def read(self, connection: Connection, after: Cursor, limit: int) -> list[Outgoing]:
        rows = await connection.fetch(
            """
            SELECT xid::text AS xid, seq, id, type, document::text AS document FROM outbox
            WHERE (xid, seq) > ($1::text::xid8, $2)
              AND xid < pg_snapshot_xmin(pg_current_snapshot())
            ORDER BY outbox.xid, seq LIMIT $3
            """,
            str(after.xid),
            after.seq,
            limit,
        )
        return [_outgoing(row) for row in rows]

    async def is_waiting(self, connection: Connection, after: Cursor) -> bool:
        """Whether rows stand behind the horizon (an open transaction holds them)."""
        rows = await connection.fetch(
            "SELECT 1 FROM outbox WHERE (xid, seq) > ($1::text::xid8, $2) LIMIT 1",
            str(after.xid),
            after.seq,
        )
        return bool(rows)

    async def rewound(self, connection: Connection, back: timedelta) -> Cursor:
        """The cursor just before the rows of the last `back`, for republishing."""
        rows = await connection.fetch(
            "SELECT xid::text AS xid, seq FROM outbox WHERE created_at > now() - $1::interval "
            "ORDER BY outbox.xid, seq LIMIT 1",
            back,
        )
        if not rows:
            return Cursor(0, 0, is_end=True)
        return Cursor(int(rows[0]["xid"]), int(rows[0]["seq"]) - 1)

    async def sweep(self, connection: Connection, done: Cursor) -> None:
        """Deletes relayed rows older than KEPT, at most SWEEP_ROWS a pass."""
        await connection.execute(
            """
            DELETE FROM outbox WHERE seq IN (
              SELECT seq FROM outbox WHERE created_at < now() - $1::interval
              AND (xid, seq) <= ($2::text::xid8, $3) ORDER BY created_at LIMIT $4)
            """,
            KEPT,
            str(done.xid),
            done.seq,
            SWEEP_ROWS,
        )


def _outgoing(row: Any) -> Outgoing:
    return Outgoing(
        cursor=Cursor(int(row["xid"]), int(row["seq"])),
        subject=SUBJECT_PREFIX + row["type"],
        message_id=str(row["id"]),
        payload=row["document"].encode(),
        headers={"Content-Type": CONTENT_TYPE},
    )
