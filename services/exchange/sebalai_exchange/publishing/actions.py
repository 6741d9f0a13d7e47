"""Accepting events: rights, schema, duplicates; and reading the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

import orjson
from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock, to_text
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, Forbidden, NotFound, Problem
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.agreements.actions import Ask, allowed, longest_keep
from sebalai_exchange.ledger.actions import take_statements
from sebalai_exchange.publishing import access, store
from sebalai_exchange.publishing.envelope import Envelope, MalformedEnvelopeError, envelope
from sebalai_exchange.publishing.partitions import RETENTION_CLASSES
from sebalai_exchange.publishing.store import Accepted, Stored
from sebalai_exchange.topics.actions import (
    Topic,
    Validators,
    faults,
    find_topic,
    note_platform_type,
)

__all__ = ["BELL", "MalformedEnvelopeError", "Stored", "envelope"]

BELL = "event_pos"
PUBLISH = "PUBLISH"
ACCEPTED = "exchange.event.accepted.v1"
PARTIES_MAX = 8
PARTY_LENGTH_MAX = 200
PLATFORM_RETENTION_DAYS = 365
_PARTY_FIELDS = ("consumer", "provider", "agency", "application")


class NotYourType(Forbidden):
    slug, title = "publishing-not-allowed", "This application may not publish events of that type"


class DataInvalid(Problem):
    status, slug, title = 422, "event-invalid", "The event breaks the schema of its type"


class IdReused(Conflict):
    slug, title = "event-id-reused", "The same source and id came before with other content"


class TypeRetired(Conflict):
    slug, title = "event-type-retired", "The event type is no longer published"


class EventUnknown(NotFound):
    slug, title = "event-unknown", "There is no such event, or it is not yours to see"


@dataclass(frozen=True)
class Publication:
    """What became of one event; `is_repeat` when an earlier request stored it."""

    event_id: UUID
    source: str
    id: str
    stored_at: datetime
    is_repeat: bool


@dataclass(frozen=True)
class Publisher:
    """Who publishes, and for which purpose when it does so by agreement."""

    caller: Caller
    purpose: str | None
    validators: Validators


async def publish_events(
    session: AsyncSession, clock: Clock, *, by: Publisher, events: Sequence[Envelope]
) -> list[Publication]:
    """Stores all events of a request, or none.

    Raises `TopicUnknown`, `NotYourType`, `TypeRetired`, `DataInvalid`, `IdReused`.
    """
    topics: dict[str, Topic] = {}
    for kind in sorted({event.type for event in events}):
        topics[kind] = await _publishable(session, clock, by, kind)
    for number, event in enumerate(events):
        _require_valid(by.validators, topics[event.type], event, number)
    kept = {kind: await _kept(session, clock, topic) for kind, topic in topics.items()}
    publisher = str(by.caller.application)
    wanted = [_accepted(event, kept[event.type], publisher, clock.now()) for event in events]
    return await _keep(session, wanted)


async def _keep(session: AsyncSession, wanted: Sequence[Accepted]) -> list[Publication]:
    new = await store.see(session, wanted)
    await store.add(session, [event for event in wanted if event.event_id in new])
    await store.add_to_outbox(session, [event for event in wanted if event.event_id in new])
    statements = [_statement(event) for event in wanted if event.event_id in new]
    await take_statements(session, statements=statements)
    return [await _publication(session, event, is_new=event.event_id in new) for event in wanted]


def _statement(event: Accepted) -> dict[str, Any]:
    """What the publisher's receipt says: that these bytes were taken at this time."""
    return {
        "specversion": "1.0",
        "id": str(event.event_id),
        "source": "urn:sebalai:exchange",
        "type": ACCEPTED,
        "time": to_text(event.stored_at),
        "data": {
            "event_source": event.source,
            "event": event.id,
            "event_type": event.type,
            "provider": event.publisher,
            "sha256": event.digest.hex(),
        },
    }


async def _publication(session: AsyncSession, event: Accepted, *, is_new: bool) -> Publication:
    if is_new:
        return Publication(event.event_id, event.source, event.id, event.stored_at, False)
    seen = await store.seen(session, event)
    if seen.digest != event.digest:
        raise IdReused(f"Give the event {event.id[:80]} a new id, or send the first one again.")
    return Publication(seen.event_id, event.source, event.id, seen.stored_at, True)


async def _publishable(session: AsyncSession, clock: Clock, by: Publisher, kind: str) -> Topic:
    topic = await find_topic(session, caller=by.caller, kind=kind)
    if topic.application is None:
        raise NotYourType(f"{kind} is the platform's own.")
    if topic.retires_at is not None and topic.retires_at <= clock.now():
        raise TypeRetired(f"Publish {topic.successor} instead.")
    if access.may_publish(by.caller, topic.application):
        return topic
    ask = Ask(str(by.caller.application), str(topic.interface), PUBLISH, f"/{kind}", by.purpose)
    if topic.interface is None or not (await allowed(session, clock, asks=[ask]))[0]:
        raise NotYourType(
            f"Call as {topic.application}, or with a granted agreement whose rule is "
            f"{PUBLISH} /{kind}, and its purpose in Sebalai-Purpose."
        )
    return topic


def _require_valid(validators: Validators, topic: Topic, event: Envelope, number: int) -> None:
    found = faults(validators.of(topic), event.data)
    if found:
        raise DataInvalid(
            f"Event {number} ({topic.type}): {found[0]['pointer']}: {found[0]['detail']}",
            errors=found,
        )


async def _kept(session: AsyncSession, clock: Clock, topic: Topic) -> int:
    """The days for which events are stored: what the type says, or the longest purpose by which
    somebody may hear of them. Who has no such purpose hears back no further for that.
    """
    wanted = topic.retention_days
    if topic.interface is not None:
        longest = await longest_keep(
            session, clock, interface=topic.interface, path=f"/{topic.type}"
        )
        wanted = max(wanted, longest)
    return next(days for days in RETENTION_CLASSES if days >= wanted)


def _accepted(event: Envelope, kept_days: int, publisher: str, now: datetime) -> Accepted:
    return Accepted(
        event_id=uuid7(),
        source=event.source,
        id=event.id,
        type=event.type,
        key=event.key,
        publisher=publisher,
        parties=parties_of(event.data),
        retention_days=kept_days,
        document=event.text,
        digest=event.digest,
        stored_at=now,
    )


def parties_of(data: Any) -> list[str]:
    """The applications and agencies that a fact names as taking part."""
    if not isinstance(data, dict):
        return []
    fields = cast("dict[str, Any]", data)
    found = [fields.get(name) for name in _PARTY_FIELDS]
    names = [name for name in found if isinstance(name, str) and 0 < len(name) <= PARTY_LENGTH_MAX]
    return names[:PARTIES_MAX]


async def take_fact(session: AsyncSession, clock: Clock, *, document: dict[str, Any]) -> None:
    """Stores a fact of the platform that came over the stream; a repetition changes nothing.

    Raises `KeyError`, `ValueError` when it is no fact of the platform.
    """
    kind, source, ident = str(document["type"]), str(document["source"]), UUID(document["id"])
    if not await note_platform_type(session, clock, kind=kind):
        raise ValueError(f"{kind} is not a type of the platform")
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    fact = Accepted(
        event_id=ident,
        source=source,
        id=str(ident),
        type=kind,
        key=document.get("subject") or None,
        publisher=source,
        parties=parties_of(document.get("data")),
        retention_days=PLATFORM_RETENTION_DAYS,
        document=text.decode(),
        digest=sha256(text).digest(),
        stored_at=clock.now(),
    )
    new = await store.see(session, [fact])
    await store.add(session, [fact] if new else [])


async def forget_repetitions(session: AsyncSession, clock: Clock, *, limit: int) -> int:
    """Of events whose time is over, up to `limit`; the same source and id are then a new event."""
    return await store.forget_seen(session, clock.now(), limit)


async def events_after(
    session: AsyncSession,
    *,
    position: int,
    limit: int,
    kinds: Sequence[str] | None = None,
) -> Sequence[Stored]:
    """The log behind `position`; all types, or those of `kinds`."""
    return await store.after(session, position, limit, kinds)


async def events_at(session: AsyncSession, *, positions: Sequence[int]) -> Sequence[Stored]:
    return await store.at(session, positions) if positions else []


async def head(session: AsyncSession) -> int:
    """The last position given so far; 0 in an empty log."""
    return await store.head(session)


async def position_at(session: AsyncSession, *, time: datetime) -> int:
    return await store.position_at(session, time)


async def find_event(session: AsyncSession, *, caller: Caller, event_id: UUID) -> Stored:
    """Raises `EventUnknown`."""
    found = await store.by_event_id(session, event_id)
    if found is None or not access.may_trace(caller, found.publisher):
        raise EventUnknown("Only its publisher and the operator see who received it.")
    return found
