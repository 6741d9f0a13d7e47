"""HTTP of publishing: `POST /v1/events` in the three modes of the CloudEvents HTTP binding.

No Idempotency-Key: an event's own source and id tell a repetition.
"""

from typing import Annotated

from fastapi import APIRouter, Header, Request
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.clock import Clock
from sebalai_shared.database import Transaction
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_exchange.inputs import INPUT
from sebalai_exchange.publishing import actions
from sebalai_exchange.publishing.actions import (
    DataInvalid,
    IdReused,
    NotYourType,
    Publication,
    Publisher,
)
from sebalai_exchange.publishing.envelope import (
    BATCH,
    STRUCTURED,
    MalformedEnvelopeError,
    parse_request,
)
from sebalai_exchange.publishing.schema import PublicationRead, PublicationsRead
from sebalai_exchange.topics.actions import TopicUnknown

router = APIRouter(prefix="/v1/events", tags=["events"], responses=INPUT)

PURPOSE_LENGTH_MAX = 40
_EVENT = {"schema": {"type": "object"}}
_BODIES = {
    "required": True,
    "content": {
        STRUCTURED: _EVENT,
        BATCH: {"schema": {"type": "array", "items": {"type": "object"}}},
        "application/json": {"schema": {}},
    },
}


def _read(made: Publication) -> PublicationRead:
    return PublicationRead(
        event_id=made.event_id,
        source=made.source,
        id=made.id,
        stored_at=made.stored_at,
        repeated=made.is_repeat,
    )


@router.post(
    "",
    status_code=202,
    responses=responses(TopicUnknown, NotYourType, IdReused, DataInvalid, FieldInvalid),
    openapi_extra={"requestBody": _BODIES},
)
async def publish_events(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    content_type: Annotated[str, Header(max_length=200)] = "",
    sebalai_purpose: Annotated[str | None, Header(max_length=PURPOSE_LENGTH_MAX)] = None,
) -> PublicationsRead:
    """Stores the event or the whole batch before 202 is answered."""
    clock: Clock = request.app.state.clock
    latest: Clock = request.app.state.latest_clock
    try:
        events = parse_request(content_type, request.headers, await request.body(), latest.now())
    except MalformedEnvelopeError as error:
        raise FieldInvalid(error.pointer or "/", error.detail) from error
    by = Publisher(caller, caller.purpose or sebalai_purpose, request.app.state.validators)
    made = await actions.publish_events(session, clock, by=by, events=events)
    return PublicationsRead(events=[_read(one) for one in made])
