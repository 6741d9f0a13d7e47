"""Pull: a subscriber fetches events under a lease, and acknowledges or gives them back.

What is not acknowledged when the lease ends comes again, in order. A key whose earlier event is
out on a lease, or dead, waits; so do the webhooks' lanes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.deliveries import pull_store
from sebalai_exchange.deliveries.sender import body_of
from sebalai_exchange.deliveries.store import FORGOTTEN, NO_RIGHT
from sebalai_exchange.publishing.actions import Stored, events_after, events_at, head
from sebalai_exchange.subscriptions.actions import Matcher, Subscription, unheard

LEASE = timedelta(seconds=60)
PULL_MAX = 500
READ_ROWS = 500
OPEN_MAX = 5_000
# With those that wait behind dead ones of their key, until the subscriber decides.
KEPT_MAX = 50_000
LEASES_MAX = 20


class LeaseLost(Conflict):
    slug, title = "lease-lost", "The lease is over; what it held was or will be given out again"


class WrongKind(Conflict):
    slug, title = "subscription-kind", "The subscription is of another kind"


@dataclass(frozen=True)
class Batch:
    """`events` are event ids with CloudEvents in JSON, in order; no lease when there are none."""

    lease: UUID | None
    events: list[tuple[UUID, bytes]]


async def pull(
    session: AsyncSession, clock: Clock, *, by: tuple[Subscription, Matcher], limit: int
) -> Batch:
    """Up to `limit` events under one lease. Raises `WrongKind`; `NothingToHear`: then the place
    stays where it is.
    """
    subscription, matcher = by
    if subscription.kind != "pull" or subscription.state != "active":
        raise WrongKind("Pull from an active subscription of kind pull.")
    if not matcher.modes:
        raise unheard(subscription)
    position = await pull_store.lock_lane(session, subscription.id)
    is_ordered = subscription.ordering == "per_key"
    now, lease = clock.now(), uuid7()
    place = pull_store.Place(subscription.id, lease, now, now + LEASE)
    await pull_store.put_right(session, place)
    await pull_store.bury_spent(session, place, LEASES_MAX)
    found = await pull_store.lease_due(session, place, limit, is_ordered=is_ordered)
    if len(found) < limit and await _has_room(session, subscription):
        await _read_on(session, clock, (subscription, matcher), (position, limit - len(found)))
        more = await pull_store.lease_due(session, place, limit - len(found), is_ordered=is_ordered)
        found = [*found, *more]
    taken = await _taken(session, place, found, matcher)
    bodies = [(event.event_id, body_of(event)) for event in taken]
    return Batch(lease if bodies else None, bodies)


async def _has_room(session: AsyncSession, one: Subscription) -> bool:
    is_ordered = one.ordering == "per_key"
    left, kept = await pull_store.count_open(session, one.id, is_ordered=is_ordered)
    return left < OPEN_MAX and kept < KEPT_MAX


async def _taken(
    session: AsyncSession, place: pull_store.Place, found: Sequence[int], matcher: Matcher
) -> list[Stored]:
    """In order those that may be given out now; what was taken in earlier may not be any more."""
    events = {event.pos: event for event in await events_at(session, positions=sorted(found))}
    dead = {pos: FORGOTTEN for pos in found if pos not in events}
    dead |= {
        pos: FORGOTTEN if matcher.is_over(event) else NO_RIGHT
        for pos, event in events.items()
        if not matcher.may_hear(event)
    }
    await pull_store.bury(session, place, dead)
    return [event for pos, event in sorted(events.items()) if pos not in dead]


async def _read_on(
    session: AsyncSession, clock: Clock, by: tuple[Subscription, Matcher], place: tuple[int, int]
) -> None:
    """Takes the next events of the log in, and moves the cursor behind them."""
    subscription, matcher = by
    position, wanted = place
    last = await head(session)
    heard: list[pull_store.New] = []
    while position < last and len(heard) < wanted:
        found = await events_after(
            session, position=position, limit=READ_ROWS, kinds=list(matcher.modes)
        )
        for event in found:
            position = event.pos
            if matcher.hears(event):
                heard.append(pull_store.New(event.pos, event.event_id, event.key))
            if len(heard) == wanted:
                break
        else:
            position = position if len(found) == READ_ROWS else max(position, last)
    await pull_store.take_in(session, subscription.id, heard, (position, clock.now()))


async def acknowledge(
    session: AsyncSession, clock: Clock, *, ident: UUID, lease: UUID, events: Sequence[UUID] | None
) -> int:
    """Those events of the lease, or all, are done; answers how many. Raises `LeaseLost`."""
    done = await pull_store.acknowledge(session, ident, (lease, events), clock.now())
    if not done:
        raise LeaseLost("Pull again.")
    return done


async def acknowledge_event(
    session: AsyncSession, clock: Clock, *, ident: UUID, event_id: UUID
) -> int:
    """For who knows no lease: the event is done if it is out on one. Raises `LeaseLost`."""
    lease = await pull_store.lease_of(session, ident, event_id)
    if lease is None:
        raise LeaseLost("Pull again.")
    return await acknowledge(session, clock, ident=ident, lease=lease, events=[event_id])


async def give_back(
    session: AsyncSession,
    clock: Clock,
    *,
    ident: UUID,
    lease: UUID,
    events: Sequence[UUID] | None,
    delay: timedelta,
) -> int:
    """Those events of the lease, or all, come again after `delay`. Raises `LeaseLost`."""
    now = clock.now()
    done = await pull_store.give_back(session, ident, (lease, events), (now, now + delay))
    if not done:
        raise LeaseLost("Pull again.")
    return done
