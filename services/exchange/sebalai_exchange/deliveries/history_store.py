"""SQL of what became of deliveries: lists, counts, and the decisions to resend or skip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True)
class Chosen:
    """Which deliveries a decision is about; what is None does not narrow."""

    state: str
    event_ids: Sequence[UUID] | None = None
    key: str | None = None
    from_position: int | None = None
    to_position: int | None = None

    def names(self, subscription: UUID) -> dict[str, Any]:
        return {
            "id": subscription,
            "state": self.state,
            "events": None if self.event_ids is None else list(self.event_ids),
            "key": self.key,
            "first": self.from_position,
            "last": self.to_position,
        }


_CHOSEN = """subscription = :id AND state = :state
  AND (CAST(:events AS uuid[]) IS NULL OR event_id = ANY(CAST(:events AS uuid[])))
  AND (CAST(:key AS text) IS NULL OR key = :key)
  AND (CAST(:first AS bigint) IS NULL OR pos >= :first)
  AND (CAST(:last AS bigint) IS NULL OR pos <= :last)"""


async def count(session: AsyncSession, subscription: UUID, chosen: Chosen) -> int:
    query = text(f"SELECT count(*) FROM delivery WHERE {_CHOSEN}")  # noqa: S608
    return int(await session.scalar(query, chosen.names(subscription)) or 0)


async def resend(
    session: AsyncSession, subscription: UUID, chosen: Chosen, now: datetime, limit: int
) -> int:
    """The oldest `limit` of the chosen are due, whatever the dispatcher's clock says, from now on
    with a life of their own. The state is asked for twice: of a row that somebody else was changing
    the database looks again at the outer condition alone.
    """
    query = text(
        f"""
        UPDATE delivery SET state = 'waiting', attempts = 0, refusals = 0, next_at = NULL,
          first_at = :now, lease = NULL
        WHERE subscription = :id AND state = :state AND pos IN (
          SELECT pos FROM delivery WHERE {_CHOSEN} ORDER BY pos LIMIT :limit)
        """  # noqa: S608
    )
    names = {**chosen.names(subscription), "now": now, "limit": limit}
    return _count(await session.execute(query, names))


async def skip(
    session: AsyncSession, subscription: UUID, chosen: Chosen, now: datetime, reason: str
) -> int:
    """The chosen are done without having been received; that stands among the attempts."""
    query = text(
        f"""
        WITH gone AS (DELETE FROM delivery WHERE {_CHOSEN} RETURNING *)
        INSERT INTO attempt (subscription, pos, event_id, number, outcome, reason, milliseconds, at)
        SELECT subscription, pos, event_id, attempts, 'skipped', :why, 0, :now FROM gone
        """  # noqa: S608
    )
    names = {**chosen.names(subscription), "now": now, "why": reason}
    return _count(await session.execute(query, names))


async def replay(
    session: AsyncSession, subscription: UUID, events: Sequence[Mapping[str, Any]], now: datetime
) -> int:
    """Events of the log are delivered once more; those still open are left as they are."""
    if not events:
        return 0
    query = text(
        "INSERT INTO delivery (subscription, pos, event_id, key, state, attempts, first_at, "
        "next_at, is_replay) SELECT :id, x.pos, x.event_id, x.key, 'waiting', 0, :now, NULL, true "
        "FROM unnest(CAST(:pos AS bigint[]), CAST(:ids AS uuid[]), CAST(:keys AS text[])) "
        "AS x(pos, event_id, key) ON CONFLICT DO NOTHING"
    )
    names = {
        "id": subscription,
        "now": now,
        "pos": [event["pos"] for event in events],
        "ids": [event["event_id"] for event in events],
        "keys": [event["key"] for event in events],
    }
    return _count(await session.execute(query, names))


async def ring(session: AsyncSession, subscription: UUID) -> None:
    """Lets dispatch load the lane anew once this transaction is committed."""
    await session.execute(text("SELECT pg_notify('deliveries', :id)"), {"id": str(subscription)})


_OPEN = "pos, event_id, key, state, attempts, first_at, next_at, reason, is_replay"


async def open_page(
    session: AsyncSession, subscription: UUID, state: str | None, span: tuple[int, int]
) -> Sequence[Mapping[str, Any]]:
    """Up to `limit + 1` deliveries not done, by position; `span` is (after which, limit)."""
    query = text(
        f"SELECT {_OPEN} FROM delivery WHERE subscription = :id AND pos > :after "  # noqa: S608
        "AND (CAST(:state AS text) IS NULL OR state = :state) ORDER BY pos LIMIT :limit"
    )
    names = {"id": subscription, "state": state, "after": span[0], "limit": span[1] + 1}
    return [dict(row) for row in (await session.execute(query, names)).mappings()]


_TRIED = "pos, event_id, number, outcome, status, reason, milliseconds, at"


async def attempts_page(
    session: AsyncSession, subscription: UUID, event_id: UUID | None, span: tuple[Any, int]
) -> Sequence[Mapping[str, Any]]:
    """Up to `limit + 1` attempts, newest first; `span` is (before which (at, pos), limit)."""
    query = text(
        f"SELECT {_TRIED} FROM attempt WHERE subscription = :id "  # noqa: S608
        "AND (CAST(:event AS uuid) IS NULL OR event_id = :event) "
        "AND (CAST(:at AS timestamptz) IS NULL OR (at, pos, number) < (:at, :pos, :number)) "
        "ORDER BY at DESC, pos DESC, number DESC LIMIT :limit"
    )
    at, pos, number = span[0] or (None, 0, 0)
    names = {
        "id": subscription,
        "event": event_id,
        "at": at,
        "pos": pos,
        "number": number,
        "limit": span[1] + 1,
    }
    return [dict(row) for row in (await session.execute(query, names)).mappings()]


async def of_event(session: AsyncSession, event_id: UUID) -> Sequence[Mapping[str, Any]]:
    """For each subscription that got as far as this event: its state, tries, and the last one."""
    query = text(
        """
        WITH tried AS (
          SELECT DISTINCT ON (subscription) subscription, outcome, at, status, reason,
            count(*) OVER (PARTITION BY subscription) AS tries
          FROM attempt WHERE event_id = :event
          ORDER BY subscription, outcome = 'delivered' DESC, at DESC
        ), unfinished AS (
          SELECT subscription, state, reason FROM delivery WHERE event_id = :event
        )
        SELECT s.id AS subscription, s.subscriber, s.kind,
          coalesce(d.state, a.outcome) AS state, coalesce(a.tries, 0) AS attempts,
          a.at AS last_at, a.status, coalesce(d.reason, a.reason) AS reason
        FROM tried a FULL JOIN unfinished d USING (subscription)
        JOIN subscription s ON s.id = subscription
        ORDER BY s.id LIMIT 10000
        """
    )
    return [dict(row) for row in (await session.execute(query, {"event": event_id})).mappings()]


async def lane_positions(session: AsyncSession) -> dict[UUID, int]:
    query = text("SELECT subscription, pos FROM lane")
    return {row.subscription: row.pos for row in await session.execute(query)}


def _count(result: object) -> int:
    return cast("CursorResult[Any]", result).rowcount
