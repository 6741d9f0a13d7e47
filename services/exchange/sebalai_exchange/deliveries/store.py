"""SQL of deliveries: what is open, what was tried, and where each lane stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

OPEN_LOADED_MAX = 5_000
DEAD_KEYS_MAX = 50_000
# Why an event that was once taken in is sent no more.
FORGOTTEN = "the event's retention is over"
NO_RIGHT = "the subscriber may no longer hear of this type"


@dataclass(slots=True)
class Open:
    """A delivery not done: waiting for its next try, held behind one of its key, or dead."""

    subscription: UUID
    pos: int
    event_id: UUID
    key: str | None
    state: str
    attempts: int
    refusals: int
    first_at: datetime
    next_at: datetime | None
    reason: str | None
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    subscription: UUID
    pos: int
    event_id: UUID
    number: int
    outcome: str
    status: int | None
    reason: str | None
    milliseconds: int
    at: datetime


@dataclass(frozen=True, slots=True)
class LaneRow:
    subscription: UUID
    pos: int
    failures: int
    open_until: datetime | None
    open_since: datetime | None
    delivered_at: datetime | None


_OPEN = ", ".join(Open.__dataclass_fields__)


async def lane(session: AsyncSession, subscription: UUID) -> LaneRow:
    columns = ", ".join(LaneRow.__dataclass_fields__)
    query = text(f"SELECT {columns} FROM lane WHERE subscription = :id")  # noqa: S608
    row = (await session.execute(query, {"id": subscription})).mappings().one()
    return LaneRow(**row)


async def open_of(session: AsyncSession, subscription: UUID) -> Sequence[Open]:
    """Waiting and held deliveries by position, at most OPEN_LOADED_MAX."""
    query = text(
        f"SELECT {_OPEN} FROM delivery WHERE subscription = :id "  # noqa: S608
        "AND state IN ('waiting', 'held') ORDER BY pos LIMIT :limit"
    )
    rows = await session.execute(query, {"id": subscription, "limit": OPEN_LOADED_MAX})
    return [Open(**row) for row in rows.mappings()]


async def dead_keys(session: AsyncSession, subscription: UUID) -> set[str]:
    query = text(
        "SELECT DISTINCT key FROM delivery WHERE subscription = :id AND state = 'dead' "
        "AND key IS NOT NULL LIMIT :limit"
    )
    return set((await session.scalars(query, {"id": subscription, "limit": DEAD_KEYS_MAX})).all())


async def done_after(session: AsyncSession, subscription: UUID, pos: int) -> set[int]:
    """Positions behind `pos` that are delivered, dead or skipped: done though the cursor is not."""
    query = text(
        "SELECT pos FROM attempt WHERE subscription = :id AND pos > :pos "
        "AND outcome IN ('delivered', 'skipped') UNION ALL "
        "SELECT pos FROM delivery WHERE subscription = :id AND pos > :pos"
    )
    return set((await session.scalars(query, {"id": subscription, "pos": pos})).all())


_ATTEMPTS = """
INSERT INTO attempt (subscription, pos, event_id, number, outcome, status, reason, milliseconds, at)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::int[], $5::text[], $6::int[],
  $7::text[], $8::int[], $9::timestamptz[])
"""
_OPENS = f"""
INSERT INTO delivery ({_OPEN})
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::int[],
  $7::int[], $8::timestamptz[], $9::timestamptz[], $10::text[], $11::boolean[])
ON CONFLICT (subscription, pos) DO UPDATE SET state = excluded.state, attempts = excluded.attempts,
  refusals = excluded.refusals, next_at = excluded.next_at, reason = excluded.reason
"""  # noqa: S608
_CLOSED = """
DELETE FROM delivery d USING unnest($1::uuid[], $2::bigint[]) AS x(subscription, pos)
WHERE d.subscription = x.subscription AND d.pos = x.pos
"""
_LANES = """
UPDATE lane l SET pos = greatest(l.pos, x.pos), failures = x.failures, open_until = x.open_until,
  open_since = x.open_since, delivered_at = coalesce(x.delivered_at, l.delivered_at)
FROM unnest($1::uuid[], $2::bigint[], $3::int[], $4::timestamptz[], $5::timestamptz[],
  $6::timestamptz[]) AS x(subscription, pos, failures, open_until, open_since, delivered_at)
WHERE l.subscription = x.subscription
"""


def _columns(rows: Sequence[Any], kind: type) -> list[list[Any]]:
    names: Mapping[str, Any] = kind.__dataclass_fields__
    return [[getattr(row, name) for row in rows] for name in names]


async def write(
    connection: Any,
    attempts: Sequence[Attempt],
    opens: Mapping[tuple[UUID, int], Open | None],
    lanes: Sequence[LaneRow],
) -> None:
    """All of it in one transaction; an `Open` of None is done and forgotten."""
    async with connection.transaction():
        if attempts:
            await connection.execute(_ATTEMPTS, *_columns(attempts, Attempt))
        kept = [one for one in opens.values() if one is not None]
        if kept:
            await connection.execute(_OPENS, *_columns(kept, Open))
        closed = [place for place, one in opens.items() if one is None]
        if closed:
            await connection.execute(
                _CLOSED, [ident for ident, _ in closed], [pos for _, pos in closed]
            )
        if lanes:
            await connection.execute(_LANES, *_columns(lanes, LaneRow))
