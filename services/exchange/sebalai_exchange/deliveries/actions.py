"""Decisions about deliveries: send again, skip, replay; and who received what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.problems import Conflict, FieldInvalid
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.deliveries import access
from sebalai_exchange.deliveries import history_store as store
from sebalai_exchange.deliveries.history_store import Chosen
from sebalai_exchange.deliveries.pulling import (
    LEASE,
    LeaseLost,
    WrongKind,
    acknowledge_event,
    pull,
)
from sebalai_exchange.deliveries.schema import ReplayWanted
from sebalai_exchange.publishing.actions import (
    Stored,
    events_after,
    find_event,
    head,
    position_at,
)
from sebalai_exchange.subscriptions.actions import (
    Matcher,
    Subscription,
    find_subscription,
    live_subscriptions,
    matchers,
)

__all__ = [
    "LEASE",
    "Chosen",
    "LeaseLost",
    "WrongKind",
    "acknowledge_event",
    "pull",
]

RESEND_MAX = 1_000
READ_ROWS = 500
# A page of the log takes some milliseconds, and all of it is one transaction.
SCANNED_MAX = 100_000
# Kinds whose subscribers keep their own place: nothing is delivered to them one by one.
KEEP_THEIR_PLACE = frozenset({"sse", "nats"})


class NoLane(Conflict):
    slug, title = "subscription-without-deliveries", "Nothing is delivered to this subscription"


@dataclass(frozen=True)
class Decision:
    """`count` would be or was changed; `done` is 0 when only the count was asked for."""

    count: int
    done: int


async def _lane_of(session: AsyncSession, caller: Caller, ident: UUID) -> Subscription:
    """The subscription, if deliveries are made to it. Raises `SubscriptionUnknown`, `NoLane`."""
    found = await find_subscription(session, caller=caller, ident=ident)
    if found.kind in KEEP_THEIR_PLACE or found.state == "ended":
        raise NoLane(f"It is {found.state} and of kind {found.kind}.")
    return found


async def resend_dead(
    session: AsyncSession, clock: Clock, *, by: tuple[Caller, UUID], chosen: Chosen, is_dry: bool
) -> Decision:
    """Dead deliveries are tried again, at most RESEND_MAX a call, the oldest first.

    Raises `SubscriptionUnknown`, `NoLane`.
    """
    found = await _lane_of(session, *by)
    count = await store.count(session, found.id, chosen)
    if is_dry or not count:
        return Decision(count, 0)
    done = await store.resend(session, found.id, chosen, clock.now(), RESEND_MAX)
    await store.ring(session, found.id)
    return Decision(count, done)


async def skip_dead(
    session: AsyncSession, clock: Clock, *, by: tuple[Caller, UUID], chosen: Chosen, reason: str
) -> Decision:
    """Dead deliveries are given up; their key goes on. Raises `SubscriptionUnknown`, `NoLane`."""
    found = await _lane_of(session, *by)
    done = await store.skip(session, found.id, chosen, clock.now(), reason)
    await store.ring(session, found.id)
    return Decision(done, done)


async def replay(
    session: AsyncSession, clock: Clock, *, by: tuple[Caller, UUID], wanted: ReplayWanted
) -> Decision:
    """Events of the log that the subscription hears of are delivered once more, at most
    RESEND_MAX a call, the oldest first; with `count_only` they are counted.

    Raises `SubscriptionUnknown`, `NoLane`, `FieldInvalid`.
    """
    found = await _lane_of(session, *by)
    matcher = (await matchers(session, clock, subscriptions=[found]))[found.id]
    first, last = await _span(session, wanted)
    count, events = await _heard(session, matcher, (first, last), wanted.type)
    if wanted.count_only or not events:
        return Decision(count, 0)
    done = await store.replay(session, found.id, events, clock.now())
    await store.ring(session, found.id)
    return Decision(count, done)


async def _span(session: AsyncSession, wanted: ReplayWanted) -> tuple[int, int]:
    """Positions (after, up to)."""
    if wanted.from_position is not None and wanted.from_time is not None:
        raise FieldInvalid("/from_time", "give from_position or from_time, not both")
    last = await head(session)
    first = wanted.from_position - 1 if wanted.from_position is not None else None
    if wanted.from_time is not None:
        first = await position_at(session, time=wanted.from_time)
    if first is None:
        raise FieldInvalid("/from_position", "give from_position or from_time")
    upto = last if wanted.to_position is None else min(wanted.to_position, last)
    if upto - first > SCANNED_MAX:
        raise FieldInvalid("/to_position", f"at most {SCANNED_MAX} positions at once")
    return first, upto


async def _heard(
    session: AsyncSession, matcher: Matcher, span: tuple[int, int], kind: str | None
) -> tuple[int, list[dict[str, Any]]]:
    """How many there are, and the oldest RESEND_MAX of them."""
    kinds = [name for name in matcher.modes if kind in (None, name)]
    position, count, events = span[0], 0, list[dict[str, Any]]()
    while position < span[1]:
        found = await events_after(session, position=position, limit=READ_ROWS, kinds=kinds)
        for event in found:
            if event.pos <= span[1] and matcher.hears(event):
                count += 1
                if len(events) < RESEND_MAX:
                    events.append({"pos": event.pos, "event_id": event.event_id, "key": event.key})
        if len(found) < READ_ROWS:
            break
        position = found[-1].pos
    return count, events


async def list_open(
    session: AsyncSession, *, by: tuple[Caller, UUID], state: str | None, span: tuple[int, int]
) -> Sequence[Mapping[str, Any]]:
    found = await find_subscription(session, caller=by[0], ident=by[1])
    return await store.open_page(session, found.id, state, span)


async def list_attempts(
    session: AsyncSession, *, by: tuple[Caller, UUID], event_id: UUID | None, span: tuple[Any, int]
) -> Sequence[Mapping[str, Any]]:
    found = await find_subscription(session, caller=by[0], ident=by[1])
    return await store.attempts_page(session, found.id, event_id, span)


@dataclass(frozen=True)
class Trace:
    """`receivers` by subscription; state `pending` where the lane has not come so far."""

    event: Stored
    receivers: list[dict[str, Any]]


async def trace_event(
    session: AsyncSession, clock: Clock, *, caller: Caller, event_id: UUID
) -> Trace:
    """Who received the event when, after how many attempts; and who is still to. Streams are left
    out, for their clients keep their own place. Raises `EventUnknown`.
    """
    event = await find_event(session, caller=caller, event_id=event_id)
    known = {row["subscription"]: dict(row) for row in await store.of_event(session, event_id)}
    live = await live_subscriptions(session)
    heard = await matchers(session, clock, subscriptions=live)
    positions = await store.lane_positions(session)
    for one in live:
        is_ahead = event.pos == 0 or positions.get(one.id, 0) < event.pos
        is_told = one.kind not in KEEP_THEIR_PLACE and heard[one.id].hears(event)
        if one.id not in known and is_ahead and is_told:
            known[one.id] = _pending(one)
    return Trace(event, [_told(caller, row) for row in known.values()])


def _told(caller: Caller, row: dict[str, Any]) -> dict[str, Any]:
    may_know = access.may_know_why(caller, row["subscriber"])
    return row if may_know else row | {"reason": None}


def _pending(one: Subscription) -> dict[str, Any]:
    return {
        "subscription": one.id,
        "subscriber": one.subscriber,
        "kind": one.kind,
        "state": "pending",
        "attempts": 0,
        "last_at": None,
        "status": None,
        "reason": None,
    }
