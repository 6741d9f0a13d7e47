"""SQL of subscriptions; every read of a caller's begins at `visible_to`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sebalai_shared.caller import Caller
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.subscriptions.access import CALL
from sebalai_exchange.subscriptions.retries import OWN, Retries


@dataclass(frozen=True)
class Subscription:
    id: UUID
    subscriber: str
    agency: str
    title: str
    types: list[str]
    filters: list[dict[str, Any]]
    purpose: str | None
    kind: str
    url: str | None
    ordering: str
    state: str
    reason: str | None
    is_operators: bool
    secret_generation: int
    previous_until: datetime | None
    created_at: datetime
    changed_at: datetime
    retry_pauses: list[int] | None = None
    retry_days: int | None = None

    @property
    def retries(self) -> Retries:
        if self.retry_pauses is None or self.retry_days is None:
            return OWN
        return Retries(tuple(self.retry_pauses), self.retry_days)


@dataclass(frozen=True)
class Standing:
    """Where a subscription stands: its lane and what is not done."""

    position: int
    lag: int
    waiting: int
    held: int
    dead: int
    failures: int
    open_until: datetime | None
    delivered_at: datetime | None


_COLUMNS = (
    "s.id, s.subscriber, s.agency, s.title, s.types, s.filters::text AS filters, s.purpose, "
    "s.kind, s.url, s.ordering, s.state, s.reason, s.is_operators, s.secret_generation, "
    "s.previous_until, s.created_at, s.changed_at, s.retry_pauses, s.retry_days"
)


def _subscription(row: Mapping[str, Any]) -> Subscription:
    fields = {name: row[name] for name in Subscription.__dataclass_fields__}
    return Subscription(**fields | {"filters": orjson.loads(fields["filters"])})


def visible_to(caller: Caller) -> tuple[str, dict[str, Any]]:
    """The beginning of a query and its parameters; without the scope a subscriber sees nothing."""
    query = f"SELECT {_COLUMNS} FROM subscription s WHERE "  # noqa: S608 - made of constants
    if caller.is_operator:
        return f"{query} true", {}
    own = caller.application if caller.has_scope(CALL) else None
    return f"{query} s.subscriber = :caller", {"caller": own or ""}


async def find(
    session: AsyncSession, caller: Caller, ident: UUID, *, is_to_change: bool = False
) -> Subscription | None:
    query, names = visible_to(caller)
    tail = " AND s.id = :id" + _held(is_to_change)
    found = await session.execute(text(query + tail), {**names, "id": ident})
    row = found.mappings().one_or_none()
    return _subscription(dict(row)) if row else None


async def page(
    session: AsyncSession, caller: Caller, before: UUID | None, limit: int
) -> Sequence[Subscription]:
    """Up to `limit + 1`, newest first."""
    query, names = visible_to(caller)
    tail = " AND (CAST(:before AS uuid) IS NULL OR s.id < :before) ORDER BY s.id DESC LIMIT :limit"
    found = await session.execute(
        text(query + tail), {**names, "before": before, "limit": limit + 1}
    )
    return [_subscription(dict(row)) for row in found.mappings()]


async def to_one_type(
    session: AsyncSession, caller: Caller, kinds: Sequence[str], *, is_to_change: bool
) -> Sequence[Subscription]:
    """Those of the caller's own that name one of the types and no other, oldest first."""
    query, names = visible_to(caller)
    tail = (
        " AND s.subscriber = :own AND cardinality(s.types) = 1 AND s.types[1] = ANY(:types) "
        "AND s.state <> 'ended' AND s.kind IN ('webhook', 'pull') ORDER BY s.id"
    )
    names |= {"own": caller.application or "", "types": list(kinds)}
    found = await session.execute(text(query + tail + _held(is_to_change)), names)
    return [_subscription(dict(row)) for row in found.mappings()]


def _held(is_to_change: bool) -> str:  # noqa: FBT001 - one word of a query
    return " FOR UPDATE" if is_to_change else ""


async def filters_of(session: AsyncSession, subscriber: str, besides: UUID | None) -> list[Any]:
    """Those with an expression in them, of all but one of its subscriptions that have not ended."""
    query = text(
        "SELECT filters::text AS filters FROM subscription WHERE subscriber = :subscriber "
        "AND state <> 'ended' AND filters::text LIKE '%\"sql\"%' "
        "AND (CAST(:besides AS uuid) IS NULL OR id <> :besides)"
    )
    found = await session.execute(query, {"subscriber": subscriber, "besides": besides})
    return [orjson.loads(row.filters) for row in found]


async def wanting(session: AsyncSession) -> Sequence[tuple[str, list[str]]]:
    """(subscriber, types) of all that have not ended."""
    query = text("SELECT DISTINCT subscriber, types FROM subscription WHERE state <> 'ended'")
    return [(row.subscriber, row.types) for row in await session.execute(query)]


_AMENDED = ("id", "ordering", "url", "state", "retry_pauses", "retry_days", "changed_at")


def _written(filters: Sequence[dict[str, Any]]) -> str:
    return orjson.dumps(filters).decode()


async def amend(session: AsyncSession, amended: Subscription) -> None:
    await session.execute(
        text(
            "UPDATE subscription SET ordering = :ordering, url = :url, state = :state, "
            "filters = CAST(:filters AS jsonb), retry_pauses = :retry_pauses, "
            "retry_days = :retry_days, changed_at = :changed_at WHERE id = :id"
        ),
        {name: getattr(amended, name) for name in _AMENDED}
        | {"filters": _written(amended.filters)},
    )


async def count_of(session: AsyncSession, subscriber: str) -> int:
    query = text("SELECT count(*) FROM subscription WHERE subscriber = :s AND state <> 'ended'")
    return int(await session.scalar(query, {"s": subscriber}) or 0)


async def add(session: AsyncSession, wanted: Subscription, position: int) -> None:
    fields = {name: getattr(wanted, name) for name in Subscription.__dataclass_fields__}
    fields["filters"] = _written(wanted.filters)
    columns = ", ".join(fields)
    values = ", ".join(
        f"CAST(:{name} AS jsonb)" if name == "filters" else f":{name}" for name in fields
    )
    await session.execute(
        text(f"INSERT INTO subscription ({columns}) VALUES ({values})"),  # noqa: S608
        fields,
    )
    await session.execute(
        text("INSERT INTO lane (subscription, pos) VALUES (:id, :pos)"),
        {"id": wanted.id, "pos": position},
    )


async def set_state(
    session: AsyncSession, ident: UUID, state: str, reason: str | None, now: datetime
) -> None:
    await session.execute(
        text(
            "UPDATE subscription SET state = :state, reason = :reason, changed_at = :now "
            "WHERE id = :id"
        ),
        {"id": ident, "state": state, "reason": reason, "now": now},
    )


async def conclude(
    session: AsyncSession, of: Subscription, wanted: tuple[str, str, str | None], now: datetime
) -> None:
    before, after, reason = wanted
    names = {"id": of.id, "url": of.url, "before": before, "after": after, "reason": reason}
    await session.execute(
        text(
            "UPDATE subscription SET state = :after, reason = :reason, changed_at = :now "
            "WHERE id = :id AND state = :before AND url IS NOT DISTINCT FROM :url"
        ),
        names | {"now": now},
    )


async def rotate(
    session: AsyncSession, ident: UUID, previous_until: datetime, now: datetime
) -> None:
    await session.execute(
        text(
            "UPDATE subscription SET secret_generation = secret_generation + 1, "
            "previous_until = :until, changed_at = :now WHERE id = :id"
        ),
        {"id": ident, "until": previous_until, "now": now},
    )


async def standing(session: AsyncSession, idents: Sequence[UUID]) -> dict[UUID, Standing]:
    query = text(
        """
        SELECT l.subscription, l.pos AS position, greatest(h.pos - l.pos, 0) AS lag, l.failures,
          l.open_until, l.delivered_at,
          count(*) FILTER (WHERE d.state IN ('waiting', 'leased')) AS waiting,
          count(*) FILTER (WHERE d.state = 'held') AS held,
          count(*) FILTER (WHERE d.state = 'dead') AS dead
        FROM lane l CROSS JOIN event_head h LEFT JOIN delivery d USING (subscription)
        WHERE l.subscription = ANY(:ids) GROUP BY l.subscription, h.pos
        """
    )
    rows = (await session.execute(query, {"ids": list(idents)})).mappings()
    names = Standing.__dataclass_fields__
    return {row["subscription"]: Standing(**{name: row[name] for name in names}) for row in rows}


async def present(session: AsyncSession, now: datetime) -> datetime:
    """By which it is judged what lies too far back: the earlier of our clock and the database's,
    so that one put ahead makes nobody pass by what it has not heard.
    """
    return min(now, (await session.scalars(text("SELECT now()"))).one())


async def live(session: AsyncSession) -> Sequence[Subscription]:
    """What dispatch serves or must verify."""
    query = text(
        f"SELECT {_COLUMNS} FROM subscription s WHERE s.state IN ('verifying', 'active') "  # noqa: S608
        "ORDER BY s.id"
    )
    return [_subscription(dict(row)) for row in (await session.execute(query)).mappings()]


async def of_idents(session: AsyncSession, idents: Sequence[UUID]) -> Sequence[Subscription]:
    """For the bus itself, of no caller."""
    query = text(f"SELECT {_COLUMNS} FROM subscription s WHERE s.id = ANY(:ids)")  # noqa: S608
    rows = (await session.execute(query, {"ids": list(idents)})).mappings()
    return [_subscription(dict(row)) for row in rows]
