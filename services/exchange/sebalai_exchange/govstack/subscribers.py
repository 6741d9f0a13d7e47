"""HTTP of a room's subscribers: subscribe, pull and acknowledge, and what is dead."""

from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.clock import Clock
from sebalai_shared.database import Transaction
from sebalai_shared.problems import NotFound, answer, responses
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.deliveries import actions as deliveries
from sebalai_exchange.deliveries.actions import LEASE, Chosen, LeaseLost, WrongKind
from sebalai_exchange.govstack import subscribing
from sebalai_exchange.govstack.names import to_theirs
from sebalai_exchange.govstack.provider import BASE, INPUT, GovStackRoute, Provider
from sebalai_exchange.govstack.schema import (
    DeadRead,
    OptionsRead,
    PulledItem,
    RoomApplication,
    StandingRead,
    SubscriptionItem,
    SubscriptionRead,
)
from sebalai_exchange.govstack.spot import At, Purpose, Spot
from sebalai_exchange.govstack.subscribing import (
    SECONDS_A_DAY,
    NotSubscribed,
    SubscriptionExists,
)
from sebalai_exchange.publishing.actions import events_at
from sebalai_exchange.subscriptions import actions as subscriptions
from sebalai_exchange.subscriptions.actions import (
    NothingToHear,
    Subscription,
    SubscriptionState,
    TooManySubscriptions,
)
from sebalai_exchange.topics.actions import Topic, TopicUnknown

router = APIRouter(
    prefix=f"/govstack{BASE}", tags=["govstack"], responses=INPUT, route_class=GovStackRoute
)

SUB, PULL = "/api/v1/subs/{name}", "/pull/v1/{name}"
DEAD_MAX = 100
_MINE = responses(TopicUnknown, NotSubscribed)


class NothingWaiting(NotFound):
    slug, title = "nothing-waiting", "No event waits"


async def _mine(at: Spot, *, is_to_change: bool = False) -> Subscription:
    """Raises `NotSubscribed`."""
    return await subscribing.my_subscription(
        at.session, caller=at.caller, topic=at.topic, is_to_change=is_to_change
    )


async def _reads(
    session: AsyncSession, found: list[tuple[Topic, Subscription]], room: str
) -> list[SubscriptionRead]:
    standings = await subscriptions.standings(session, idents=[one.id for _, one in found])
    return [
        SubscriptionRead(
            id=one.id,
            subscriber_id=RoomApplication.of(one.subscriber),
            event_type=to_theirs(room, topic.type),
            delivery="PULL" if one.kind == "pull" else "PUSH",
            options=OptionsRead(
                ttl=topic.retention_days * SECONDS_A_DAY,
                fifo=one.ordering == "per_key",
                url=one.url,
            ),
            state=one.state,
            standing=StandingRead.model_validate(standings[one.id], from_attributes=True),
        )
        for topic, one in found
    ]


async def _read(at: Spot, one: Subscription) -> SubscriptionRead:
    return (await _reads(at.session, [(at.topic, one)], str(at.topic.application)))[0]


@router.get("/api/v1/subs")
async def list_subscriptions(
    request: Request, caller: IdentifiedAccess, session: Transaction, room: Provider
) -> list[SubscriptionRead]:
    clock: Clock = request.app.state.clock
    found = await subscribing.my_subscriptions(session, clock, caller=caller, room=room)
    return await _reads(session, list(found), room)


@router.post(
    SUB,
    responses=responses(TopicUnknown, NothingToHear, SubscriptionExists, TooManySubscriptions),
)
async def subscribe(at: At, wanted: SubscriptionItem, purpose: Purpose = None) -> SubscriptionRead:
    made = await subscribing.subscribe(
        at.session, at.clock,
        by=(at.caller, at.caller.purpose or purpose), place=(at.topic, at.name), wanted=wanted,
        targets=at.request.app.state.targets,
    )  # fmt: skip
    return await _read(at, made)


@router.get(SUB, responses=_MINE)
async def read_subscription(at: At) -> SubscriptionRead:
    return await _read(at, await _mine(at))


@router.patch(SUB, status_code=201, responses=_MINE)
async def amend_subscription(at: At, wanted: SubscriptionItem) -> SubscriptionRead:
    amended = await subscribing.amend(
        at.session, at.clock,
        caller=at.caller, place=(at.topic, at.name), wanted=wanted,
        targets=at.request.app.state.targets,
    )  # fmt: skip
    return await _read(at, amended)


@router.delete(SUB, status_code=204, responses=_MINE | responses(SubscriptionState))
async def delete_subscription(at: At) -> None:
    ident = (await _mine(at, is_to_change=True)).id
    wanted = ("ended", "deleted by its subscriber")
    await subscriptions.set_state(
        at.session, at.clock, caller=at.caller, ident=ident, wanted=wanted
    )


@router.get(
    PULL,
    response_model=PulledItem,
    responses=responses(TopicUnknown, NotSubscribed, NothingToHear, NothingWaiting, WrongKind),
)
async def pull_event(at: At) -> Response | PulledItem:
    """The next event, out on a lease until it is acknowledged or its time is over."""
    found = await _mine(at)
    heard = (await subscriptions.matchers(at.session, at.clock, subscriptions=[found]))[found.id]
    batch = await deliveries.pull(at.session, at.clock, by=(found, heard), limit=1)
    if not batch.events:
        # Not raised: how far the log was read, and what was given out too often, must stay.
        return answer(NothingWaiting("Ask again later, or subscribe with delivery PUSH."))
    ident, body = batch.events[0]
    event = orjson.loads(body)
    (stored,) = await events_at(at.session, positions=[int(event["position"])])
    return PulledItem(
        id=ident,
        sequence=stored.pos,
        publisher_id=RoomApplication.of(stored.publisher),
        event_type=at.name,
        event=event.get("data"),
        lease_seconds=int(LEASE.total_seconds()),
    )


@router.delete(f"{PULL}/{{event_id}}", status_code=204, responses=_MINE)
async def acknowledge(at: At, event_id: UUID) -> None:
    found = await _mine(at)
    try:
        await deliveries.acknowledge_event(at.session, at.clock, ident=found.id, event_id=event_id)
    except LeaseLost as error:
        raise NothingWaiting("The event is not out on a lease: pull it again.") from error


@router.get(f"{SUB}/dead", responses=_MINE)
async def list_dead(at: At) -> list[DeadRead]:
    """The oldest DEAD_MAX."""
    by = (at.caller, (await _mine(at)).id)
    rows = await deliveries.list_open(at.session, by=by, state="dead", span=(0, DEAD_MAX))
    return [
        DeadRead(
            id=row["event_id"], sequence=row["pos"], attempts=row["attempts"], reason=row["reason"]
        )
        for row in rows[:DEAD_MAX]
    ]


@router.post(f"{SUB}/dead/{{event_id}}", status_code=204, responses=_MINE)
async def resend_dead(at: At, event_id: UUID) -> None:
    """Tries it again."""
    by, chosen = (at.caller, (await _mine(at)).id), Chosen("dead", [event_id])
    made = await deliveries.resend_dead(at.session, at.clock, by=by, chosen=chosen, is_dry=False)
    _require(made.done)


@router.delete(f"{SUB}/dead/{{event_id}}", status_code=204, responses=_MINE)
async def skip_dead(at: At, event_id: UUID) -> None:
    """Gives it up; later ones of its key go on."""
    by, chosen = (at.caller, (await _mine(at)).id), Chosen("dead", [event_id])
    reason = "given up by its subscriber"
    made = await deliveries.skip_dead(at.session, at.clock, by=by, chosen=chosen, reason=reason)
    _require(made.done)


def _require(done: int) -> None:
    if not done:
        raise NothingWaiting("No such event is dead.")
