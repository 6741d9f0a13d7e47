"""What a subscription in a room is: an application's oldest one of ours to that type alone."""

from collections.abc import Sequence
from typing import Literal

from pydantic import ValidationError
from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.problems import Conflict, FieldInvalid, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.govstack.actions import is_over
from sebalai_exchange.govstack.schema import SubscriptionItem
from sebalai_exchange.locks import hold_name
from sebalai_exchange.subscriptions import actions as subscriptions
from sebalai_exchange.subscriptions.actions import Subscription, SubscriptionRequest, Targets
from sebalai_exchange.topics import actions as topics
from sebalai_exchange.topics.actions import Topic

SECONDS_A_DAY = 86_400
KINDS = {"PUSH": "webhook", "PULL": "pull"}
# Where a subscription's fields stand in GovStack's body.
_FIELDS = {"url": "/options/url", "purpose": "/Sebalai-Purpose", "subscriber": "/subscriberId"}


class SubscriptionExists(Conflict):
    slug, title = "subscription-exists", "The application has subscribed to this event type"


class NotSubscribed(NotFound):
    slug, title = "subscription-unknown", "There is no such subscription, or it is not yours"


async def subscribe(
    session: AsyncSession,
    clock: Clock,
    *,
    by: tuple[Caller, str | None],
    place: tuple[Topic, str],
    wanted: SubscriptionItem,
    targets: Targets,
) -> Subscription:
    """`by` is who, and for which purpose; `place` the type and its name in the room.

    Raises `SubscriptionExists`, `FieldInvalid`, what subscribing raises.
    """
    (caller, purpose), (topic, _) = by, place
    _require_sound(caller, place, wanted)
    await hold_name(session, "govstack", f"{caller.application} {topic.type}")
    if topic.type in await _mine(session, caller, [topic]):
        raise SubscriptionExists("Change it, or delete it first.")
    try:
        request = SubscriptionRequest(
            subscriber=str(caller.application),
            title=topic.title,
            types=[topic.type],
            purpose=purpose,
            kind="pull" if wanted.delivery == "PULL" else "webhook",
            url=wanted.options.url,
            ordering=ordering(is_fifo=wanted.options.fifo),
        )
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        raise FieldInvalid(_FIELDS.get(field, "/"), error.errors()[0]["msg"]) from error
    _require_address(request.kind, request.url, targets)
    return await subscriptions.subscribe(
        session, clock, caller=caller, wanted=request, targets=targets
    )


def _require_address(kind: str, url: str | None, targets: Targets) -> None:
    """The same rules as for every webhook, with the field named as it is here."""
    if (kind == "webhook") != (url is not None):
        raise FieldInvalid("/options/url", "says where PUSH delivers, and is for PUSH alone")
    try:
        if url is not None:
            targets.require(url)
    except FieldInvalid as error:
        raise FieldInvalid("/options/url", error.detail) from error


def ordering(*, is_fifo: bool) -> Literal["per_key", "none"]:
    return "per_key" if is_fifo else "none"


def _require_sound(caller: Caller, place: tuple[Topic, str], wanted: SubscriptionItem) -> None:
    """Nothing is dropped before its time here; nor is it kept longer. Raises `FieldInvalid`."""
    topic, name = place
    if wanted.event_type != name:
        raise FieldInvalid("/eventType", "is another than the path names")
    if wanted.options.ttl > topic.retention_days * SECONDS_A_DAY:
        raise FieldInvalid("/options/TTL", f"events of the type stay {topic.retention_days} days")
    if wanted.subscriber_id is not None and wanted.subscriber_id.name != caller.application:
        raise FieldInvalid("/subscriberId", "is another application than calls")


async def amend(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    place: tuple[Topic, str],
    wanted: SubscriptionItem,
    targets: Targets,
) -> Subscription:
    """Changes what `wanted` says of the order and the address. Raises `NotSubscribed`,
    `FieldInvalid`.
    """
    _require_sound(caller, place, wanted)
    found = await my_subscription(session, caller=caller, topic=place[0], is_to_change=True)
    said, options = wanted.model_fields_set, wanted.options
    if "delivery" in said and KINDS[wanted.delivery] != found.kind:
        raise FieldInvalid("/delivery", "stays; delete the subscription and make another")
    is_fifo = options.fifo if "fifo" in options.model_fields_set else found.ordering == "per_key"
    chosen = ordering(is_fifo=is_fifo), options.url or found.url
    _require_address(found.kind, chosen[1], targets)
    return await subscriptions.amend(session, clock, found=found, wanted=chosen, targets=targets)


async def my_subscription(
    session: AsyncSession, *, caller: Caller, topic: Topic, is_to_change: bool = False
) -> Subscription:
    """Raises `NotSubscribed`."""
    found = await _mine(session, caller, [topic], is_to_change=is_to_change)
    if topic.type not in found:
        raise NotSubscribed("POST one first.")
    return found[topic.type]


async def _mine(
    session: AsyncSession, caller: Caller, known: Sequence[Topic], *, is_to_change: bool = False
) -> dict[str, Subscription]:
    kinds = [topic.type for topic in known]
    return await subscriptions.subscriptions_to(
        session, caller=caller, kinds=kinds, is_to_change=is_to_change
    )


async def my_subscriptions(
    session: AsyncSession, clock: Clock, *, caller: Caller, room: str
) -> Sequence[tuple[Topic, Subscription]]:
    """What the caller has subscribed to in a room."""
    known = await topics.topics_of(session, caller=caller, application=room)
    mine = await _mine(session, caller, [topic for topic in known if not is_over(topic, clock)])
    return [(topic, mine[topic.type]) for topic in known if topic.type in mine]
