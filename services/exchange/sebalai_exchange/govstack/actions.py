"""Decisions in a room: which type a name means, what describing and publishing ask for. Owns no
table: topics, publishing, subscriptions and deliveries do all of it.
"""

from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, FieldInvalid, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.govstack.drafts import OtherMeaningError, modern
from sebalai_exchange.govstack.names import MalformedNameError, room_interface, to_ours, to_theirs
from sebalai_exchange.govstack.schema import EventTypeWanted, PublishWanted
from sebalai_exchange.interfaces.actions import offered_interface
from sebalai_exchange.publishing.actions import (
    MalformedEnvelopeError,
    Publisher,
    envelope,
    publish_events,
)
from sebalai_exchange.subscriptions import actions as subscriptions
from sebalai_exchange.topics import actions as topics
from sebalai_exchange.topics.actions import NotTheOwner, Topic, TopicUnknown, TopicWanted

# Where an envelope's attributes stand in GovStack's body.
_POINTERS = {"/data": "/event", "/subject": "/key", "/id": "/Idempotency-Key"}


class RoomUnknown(NotFound):
    slug, title = "room-unknown", "The application has no room"


class EventTypeExists(Conflict):
    slug, title = "event-type-exists", "The room has an event type of that name, or had one"


class EventTypeInUse(Conflict):
    slug, title = "event-type-in-use", "Others have subscribed to the event type"


async def find_type(
    session: AsyncSession, clock: Clock, *, caller: Caller, place: tuple[str, str]
) -> Topic:
    """The type that `place` (room, name) means. Raises `FieldInvalid`, `TopicUnknown`."""
    room, name = place
    topic = await topics.find_topic(session, caller=caller, kind=_kind(room, name))
    if topic.application != room or is_over(topic, clock):
        raise TopicUnknown("The room has no such event type.")
    return topic


def _kind(room: str, name: str) -> str:
    try:
        return to_ours(room, name)
    except MalformedNameError as error:
        raise FieldInvalid("/eventType", str(error)) from error


def is_over(topic: Topic, clock: Clock) -> bool:
    return topic.retires_at is not None and topic.retires_at <= clock.now()


async def list_types(
    session: AsyncSession, clock: Clock, *, caller: Caller, room: str
) -> list[str]:
    """Names of what is published in a room."""
    found = await topics.topics_of(session, caller=caller, application=room)
    return [to_theirs(room, topic.type) for topic in found if not is_over(topic, clock)]


async def create_type(
    session: AsyncSession, clock: Clock, *, caller: Caller, room: str, wanted: EventTypeWanted
) -> None:
    """Describes a type of the room, open to nobody until the room's application agrees.

    Raises `NotTheOwner`, `RoomUnknown`, `EventTypeExists`, `FieldInvalid`.
    """
    if caller.application != room:
        raise NotTheOwner(f"Call as {room}, whose room it is.")
    offered = await offered_interface(session, name=room_interface(room))
    if offered is None or not offered.is_active:
        raise RoomUnknown(f"Publish the interface {room_interface(room)} first: it is the room.")
    kind = _kind(room, wanted.event_type)
    try:
        await topics.find_topic(session, caller=caller, kind=kind)
    except TopicUnknown:
        await topics.publish_topic(
            session, clock, caller=caller, wanted=_described(room, kind, wanted)
        )
        return
    raise EventTypeExists("Names are never given again; choose another.")


def _described(room: str, kind: str, wanted: EventTypeWanted) -> TopicWanted:
    try:
        schema = modern(wanted.event_schema)
    except OtherMeaningError as error:
        raise FieldInvalid(f"/schema{error.pointer}", str(error)) from error
    try:
        return TopicWanted(
            type=kind,
            title=kind,
            description=f"Described as {wanted.event_type} in the room of {room}.",
            schema=schema,
            interface=room_interface(room),
        )
    except ValidationError as error:
        raise FieldInvalid("/eventType", error.errors()[0]["msg"]) from error


async def delete_type(
    session: AsyncSession, clock: Clock, *, caller: Caller, place: tuple[str, str]
) -> None:
    """Ends publishing of a type that nobody else counts on; what was published stays.

    Raises `TopicUnknown`, `NotTheOwner`, `EventTypeInUse`, `FieldInvalid`.
    """
    topic = await find_type(session, clock, caller=caller, place=place)
    await topics.retire_topic(session, clock, caller=caller, kind=topic.type)
    # Only who may retire it is told of others; the problem takes the retiring back.
    if await subscriptions.subscribers_to(session, kind=topic.type) - {place[0]}:
        raise EventTypeInUse("Deprecate it: POST /api/exchange/v1/topics/{type}/deprecate.")


async def publish(
    session: AsyncSession,
    clock: Clock,
    *,
    by: Publisher,
    place: tuple[Topic, str],
    wanted: PublishWanted,
    ident: str | None,
) -> UUID:
    """Stores the event before its id is told; `place` is the type and its name in the room,
    `ident` makes a repetition known.

    Raises what publishing raises.
    """
    topic, name = place
    if wanted.event_type != name:
        raise FieldInvalid("/eventType", "is another than the path names")
    document: dict[str, Any] = {
        "specversion": "1.0",
        "id": ident or str(uuid7()),
        "source": f"/{by.caller.application}",
        "type": topic.type,
        # GovStack's order (FIFO) is that of the type, unless the publisher names a narrower one.
        "subject": wanted.key or name,
        "data": wanted.event,
    }
    try:
        event = envelope(document, clock.now())
    except MalformedEnvelopeError as error:
        raise FieldInvalid(_POINTERS.get(error.pointer, error.pointer), error.detail) from error
    return (await publish_events(session, clock, by=by, events=[event]))[0].event_id
