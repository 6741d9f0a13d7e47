"""HTTP of a room: its event types, publishing into it, and what became of an event."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Header, Request, Response
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.clock import Clock
from sebalai_shared.database import Transaction
from sebalai_shared.problems import Problem, responses

from sebalai_exchange.deliveries import actions as deliveries
from sebalai_exchange.deliveries.actions import Trace
from sebalai_exchange.govstack import actions
from sebalai_exchange.govstack.actions import EventTypeExists, EventTypeInUse, RoomUnknown
from sebalai_exchange.govstack.provider import BASE, INPUT, GovStackRoute, Provider
from sebalai_exchange.govstack.schema import (
    EventStatus,
    EventTypeRead,
    EventTypeWanted,
    PublishedRead,
    PublishWanted,
    ReceiverRead,
    RoomApplication,
)
from sebalai_exchange.govstack.spot import At, Name, Purpose
from sebalai_exchange.publishing.actions import EventUnknown, IdReused, NotYourType, Publisher
from sebalai_exchange.topics.actions import NotTheOwner, TopicUnknown

router = APIRouter(
    prefix=f"/govstack{BASE}", tags=["govstack"], responses=INPUT, route_class=GovStackRoute
)

KEY_LENGTH_MAX = 200
PUB = "/pub/v1/{name}"
NOTHING: dict[int | str, dict[str, Any]] = {204: {"description": "There is none"}}


class EventStands(Problem):
    """What was stored is evidence, and some have received it."""

    status, slug, title = 405, "event-not-withdrawn", "A published event is not taken back"


@router.post("/api/v1/eventType", responses=responses(NotTheOwner, RoomUnknown, EventTypeExists))
async def create_type(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    room: Provider,
    wanted: EventTypeWanted,
) -> EventTypeRead:
    clock: Clock = request.app.state.clock
    await actions.create_type(session, clock, caller=caller, room=room, wanted=wanted)
    return EventTypeRead(event_type=wanted.event_type, event_schema=wanted.event_schema)


@router.get("/api/v1/eventType", response_model=list[str], responses=NOTHING)
async def list_types(
    request: Request, caller: IdentifiedAccess, session: Transaction, room: Provider
) -> Response | list[str]:
    clock: Clock = request.app.state.clock
    found = await actions.list_types(session, clock, caller=caller, room=room)
    return found or Response(status_code=204)


@router.get("/api/v1/eventType/{name}", response_model=EventTypeRead, responses=NOTHING)
async def read_type(
    request: Request, caller: IdentifiedAccess, session: Transaction, room: Provider, name: Name
) -> Response | EventTypeRead:
    """204 for one that is not there, as the definition has it."""
    clock: Clock = request.app.state.clock
    try:
        topic = await actions.find_type(session, clock, caller=caller, place=(room, name))
    except TopicUnknown:
        return Response(status_code=204)
    return EventTypeRead(event_type=name, event_schema=topic.schema)


@router.delete(
    "/api/v1/eventType/{name}",
    status_code=204,
    responses=responses(TopicUnknown, NotTheOwner, EventTypeInUse),
)
async def delete_type(
    request: Request, caller: IdentifiedAccess, session: Transaction, room: Provider, name: Name
) -> None:
    clock: Clock = request.app.state.clock
    await actions.delete_type(session, clock, caller=caller, place=(room, name))


@router.post(PUB, status_code=201, responses=responses(TopicUnknown, NotYourType, IdReused))
async def publish(
    at: At,
    wanted: PublishWanted,
    purpose: Purpose = None,
    idempotency_key: Annotated[str | None, Header(max_length=KEY_LENGTH_MAX)] = None,
) -> PublishedRead:
    """Stored before 201 is answered; the same `Idempotency-Key` gets the first id again."""
    by = Publisher(at.caller, at.caller.purpose or purpose, at.request.app.state.validators)
    made = await actions.publish(
        at.session, at.clock,
        by=by, place=(at.topic, at.name), wanted=wanted, ident=idempotency_key,
    )  # fmt: skip
    return PublishedRead(id=made)


@router.get(f"{PUB}/{{event_id}}", responses=responses(TopicUnknown, EventUnknown))
async def read_status(at: At, event_id: UUID) -> EventStatus:
    """Who received the event: for its publisher and the operator."""
    found = await deliveries.trace_event(at.session, at.clock, caller=at.caller, event_id=event_id)
    if found.event.type != at.topic.type:
        raise EventUnknown("It is of another type.")
    return _status(found, at.name)


@router.delete(f"{PUB}/{{event_id}}", status_code=405, responses=responses(EventStands))
async def stop_event(at: At, event_id: UUID) -> None:
    detail = f"Publish a fact of type {at.name} that corrects {event_id}."
    raise EventStands(detail, headers={"Allow": "GET"})


def _status(found: Trace, name: str) -> EventStatus:
    event = found.event
    receivers = [
        ReceiverRead(
            subscriber_id=RoomApplication.of(row["subscriber"]),
            state=row["state"],
            attempts=row["attempts"],
            last_at=row["last_at"],
            reason=row["reason"],
        )
        for row in found.receivers
    ]
    return EventStatus(
        id=event.event_id,
        sequence=event.pos,
        publisher_id=RoomApplication.of(event.publisher),
        event_type=name,
        event=orjson.loads(event.document).get("data"),
        received=sum(one.state == "delivered" for one in receivers),
        expected=len(receivers),
        receivers=receivers,
    )
