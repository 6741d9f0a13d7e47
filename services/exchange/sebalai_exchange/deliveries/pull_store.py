"""SQL of pulling: leases on the rows of `delivery`, the cursor in `lane`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True)
class Place:
    subscription: UUID
    lease: UUID
    now: datetime
    until: datetime


@dataclass(frozen=True)
class New:
    pos: int
    event_id: UUID
    key: str | None


async def lock_lane(session: AsyncSession, subscription: UUID) -> int:
    """The cursor; one pull at a time, the next waits here."""
    query = text("SELECT pos FROM lane WHERE subscription = :id FOR UPDATE")
    return int(await session.scalar(query, {"id": subscription}) or 0)


async def count_open(
    session: AsyncSession, subscription: UUID, *, is_ordered: bool
) -> tuple[int, int]:
    """How many are not done: those that may be given out some day, and with them those that wait
    behind a dead one of their key.
    """
    query = text(
        """
        WITH dead AS (
          SELECT key, min(pos) AS pos FROM delivery
          WHERE subscription = :id AND state = 'dead' AND key IS NOT NULL GROUP BY key)
        SELECT count(*) FILTER (WHERE NOT (:is_ordered AND coalesce(x.pos < d.pos, false))),
          count(*)
        FROM delivery d LEFT JOIN dead x USING (key)
        WHERE d.subscription = :id AND d.state IN ('leased', 'waiting', 'held')
        """
    )
    row = (await session.execute(query, {"id": subscription, "is_ordered": is_ordered})).one()
    return int(row[0]), int(row[1])


async def put_right(session: AsyncSession, place: Place) -> None:
    """What was given by a clock that has been put back since lasts as long as it was given for."""
    await session.execute(
        text(
            "UPDATE delivery SET next_at = CAST(:now AS timestamptz) + (next_at - since), "
            "since = :now WHERE subscription = :id AND since > :now AND next_at IS NOT NULL"
        ),
        {"id": place.subscription, "now": place.now},
    )


async def bury_spent(session: AsyncSession, place: Place, leases_max: int) -> None:
    """What was given out too often without being acknowledged wants a decision."""
    await session.execute(
        text(
            "UPDATE delivery SET state = 'dead', next_at = NULL, lease = NULL, "
            "reason = 'given out too often' WHERE subscription = :id AND attempts >= :max "
            "AND state IN ('leased', 'waiting') AND next_at <= :now"
        ),
        {"id": place.subscription, "max": leases_max, "now": place.now},
    )


async def bury(session: AsyncSession, place: Place, dead: Mapping[int, str]) -> None:
    """Those positions of the lease want a decision, each for its reason."""
    if dead:
        await session.execute(
            text(
                "UPDATE delivery d SET state = 'dead', next_at = NULL, lease = NULL, "
                "reason = x.reason FROM unnest(CAST(:pos AS bigint[]), CAST(:why AS text[])) "
                "AS x(pos, reason) WHERE d.subscription = :id AND d.pos = x.pos"
            ),
            {"id": place.subscription, "pos": list(dead), "why": list(dead.values())},
        )


async def lease_due(
    session: AsyncSession, place: Place, limit: int, *, is_ordered: bool
) -> list[int]:
    """Positions now on the lease: what is due and not behind a busy one of its key."""
    query = text(
        """
        WITH busy AS (
          SELECT key, min(pos) AS pos FROM delivery
          WHERE subscription = :id AND key IS NOT NULL AND lease IS DISTINCT FROM :lease
            AND (state = 'dead' OR next_at > :now)
          GROUP BY key)
        UPDATE delivery SET state = 'leased', lease = :lease, next_at = :until, since = :now,
          attempts = attempts + 1
        WHERE subscription = :id AND pos IN (
          SELECT d.pos FROM delivery d LEFT JOIN busy b USING (key)
          WHERE d.subscription = :id AND d.state IN ('leased', 'waiting', 'held')
            AND (d.next_at IS NULL OR d.next_at <= :now)
            AND NOT (:is_ordered AND coalesce(b.pos < d.pos, false))
          ORDER BY d.pos LIMIT :limit)
        RETURNING pos
        """
    )
    names = {
        "id": place.subscription,
        "lease": place.lease,
        "now": place.now,
        "until": place.until,
        "is_ordered": is_ordered,
        "limit": limit,
    }
    return list((await session.scalars(query, names)).all())


async def take_in(
    session: AsyncSession, subscription: UUID, heard: Sequence[New], place: tuple[int, datetime]
) -> None:
    position, now = place
    rows = [
        {"id": subscription, "pos": one.pos, "event_id": one.event_id, "key": one.key, "now": now}
        for one in heard
    ]
    if rows:
        await session.execute(
            text(
                "INSERT INTO delivery (subscription, pos, event_id, key, state, attempts, "
                "first_at) VALUES (:id, :pos, :event_id, :key, 'held', 0, :now) "
                "ON CONFLICT DO NOTHING"
            ),
            rows,
        )
    await session.execute(
        text("UPDATE lane SET pos = :pos WHERE subscription = :id"),
        {"id": subscription, "pos": position},
    )


_OF_LEASE = (
    "subscription = :id AND lease = :lease AND state = 'leased' "
    "AND (CAST(:events AS uuid[]) IS NULL OR event_id = ANY(CAST(:events AS uuid[])))"
)


async def lease_of(session: AsyncSession, subscription: UUID, event_id: UUID) -> UUID | None:
    query = text(
        "SELECT lease FROM delivery WHERE subscription = :id AND event_id = :event "
        "AND state = 'leased' FOR UPDATE"
    )
    return await session.scalar(query, {"id": subscription, "event": event_id})


async def acknowledge(
    session: AsyncSession,
    subscription: UUID,
    what: tuple[UUID, Sequence[UUID] | None],
    now: datetime,
) -> int:
    query = text(
        f"""
        WITH done AS (
          DELETE FROM delivery WHERE {_OF_LEASE}
          RETURNING subscription, pos, event_id, attempts, first_at
        ), lane AS (
          UPDATE lane SET delivered_at = :now
          WHERE subscription = :id AND EXISTS (SELECT 1 FROM done)
        )
        INSERT INTO attempt (subscription, pos, event_id, number, outcome, milliseconds, at)
        SELECT subscription, pos, event_id, attempts, 'delivered', 0, :now FROM done
        """  # noqa: S608 - made of constants
    )
    names = {"id": subscription, "lease": what[0], "events": _list(what[1]), "now": now}
    return _count(await session.execute(query, names))


async def give_back(
    session: AsyncSession,
    subscription: UUID,
    what: tuple[UUID, Sequence[UUID] | None],
    span: tuple[datetime, datetime],
) -> int:
    """They are due again at the end of `span`."""
    query = text(
        "UPDATE delivery SET state = 'waiting', lease = NULL, since = :since, next_at = :until, "  # noqa: S608
        f"reason = 'given back' WHERE {_OF_LEASE}"
    )
    names = {"id": subscription, "lease": what[0], "events": _list(what[1])}
    names |= {"since": span[0], "until": span[1]}
    return _count(await session.execute(query, names))


def _list(events: Sequence[UUID] | None) -> list[UUID] | None:
    return None if events is None else list(events)


def _count(result: object) -> int:
    return cast("CursorResult[Any]", result).rowcount
