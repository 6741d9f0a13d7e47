"""SQL of uses by day. The idle are read beside the agreements' own table, in one statement."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

Use = tuple[str, str, str, date]
"""Interface, consumer, agreement, day."""

_ADD = text(
    """
    INSERT INTO use_day (interface, consumer, agreement, day, calls)
    SELECT * FROM unnest(CAST(:interface AS text[]), CAST(:consumer AS text[]),
      CAST(:agreement AS text[]), CAST(:day AS date[]), CAST(:calls AS bigint[]))
    ON CONFLICT (interface, consumer, agreement, day)
    DO UPDATE SET calls = use_day.calls + excluded.calls
    """
)
_BY_INTERFACE = text(
    """
    SELECT interface, sum(calls)::bigint AS calls, count(DISTINCT consumer) AS consumers,
      count(DISTINCT split_part(consumer, '/', 3)) AS agencies, max(day) AS last_day
    FROM use_day WHERE day > :since AND interface > :after
    GROUP BY interface ORDER BY interface LIMIT :limit
    """
)
# What listens to events is in force without a call, so an agreement on events alone is not idle.
_IDLE = text(
    """
    SELECT a.id, split_part(a.consumer, '/', 3) AS agency, a.consumer, a.interface,
      a.granted_at, a.valid_until, used.last_day
    FROM agreement a
    LEFT JOIN LATERAL (
      SELECT max(u.day) AS last_day FROM agreement version
      JOIN use_day u ON u.agreement = version.id::text WHERE version.series = a.series
    ) used ON true
    WHERE a.state = 'granted' AND a.valid_until > :now AND a.id > :after
      AND a.valid_from <= :then AND a.granted_at <= :then
      AND (:house = '' OR a.consumer_owner = :house)
      AND (used.last_day IS NULL OR used.last_day < CAST(:then AS date))
      AND EXISTS (SELECT FROM jsonb_array_elements(a.rules) rule
                  WHERE rule->>'method' NOT IN ('SUBSCRIBE', 'PUBLISH'))
    ORDER BY a.id LIMIT :limit
    """
)
_FIRST = UUID(int=0)


async def add(session: AsyncSession, uses: Mapping[Use, int]) -> None:
    """In one order, so that two who count never wait for one another."""
    ordered = sorted(uses.items())
    names = ("interface", "consumer", "agreement", "day")
    columns: dict[str, Any] = {
        name: [use[place] for use, _ in ordered] for place, name in enumerate(names)
    }
    await session.execute(_ADD, columns | {"calls": [calls for _, calls in ordered]})


async def by_interface(
    session: AsyncSession, since: date, after: str | None, limit: int
) -> Sequence[Any]:
    values = {"since": since, "after": after or "", "limit": limit + 1}
    return (await session.execute(_BY_INTERFACE, values)).all()


async def idle(
    session: AsyncSession, now: datetime, days: int, house: str, span: tuple[UUID | None, int]
) -> Sequence[Any]:
    after, limit = span
    values = {"now": now, "after": after or _FIRST, "house": house, "limit": limit + 1}
    return (await session.execute(_IDLE, values | {"then": now - timedelta(days=days)})).all()


async def sweep(session: AsyncSession, days: int) -> None:
    query = text("DELETE FROM use_day WHERE day < current_date - CAST(:days AS integer)")
    await session.execute(query, {"days": days})
