"""HTTP of event types: `/v1/topics`, and the AsyncAPI document made from them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.clock import Clock
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.pagination import CursorText, Limit, Page, decode_cursor, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_exchange.inputs import INPUT
from sebalai_exchange.names import EventType
from sebalai_exchange.topics import actions
from sebalai_exchange.topics.actions import Incompatible, NotTheOwner, Topic, TopicUnknown
from sebalai_exchange.topics.asyncapi import DOCUMENT_TYPES_MAX, document
from sebalai_exchange.topics.schema import (
    Deprecation,
    TopicPublish,
    TopicRead,
    VersionRead,
)

document_router = APIRouter(prefix="/v1", tags=["topics"], responses=INPUT)
router = APIRouter(prefix="/v1/topics", tags=["topics"], responses=INPUT)


def _read(topic: Topic) -> TopicRead:
    fields: dict[str, Any] = {
        name: getattr(topic, name) for name in TopicRead.model_fields if name != "event_schema"
    }
    return TopicRead.model_validate(fields | {"schema": topic.schema})


@router.post("", status_code=201, responses=responses(NotTheOwner, FieldInvalid, Incompatible))
async def publish_topic(
    request: Request,
    response: Response,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: TopicPublish,
) -> TopicRead:
    clock: Clock = request.app.state.clock

    async def make() -> TopicRead:
        made = await actions.publish_topic(session, clock, caller=caller, wanted=wanted)
        return _read(made)

    answer = await once.answer(session, TopicRead, make)
    response.headers["Location"] = f"/v1/topics/{answer.type}"
    return answer


@router.get("")
async def list_topics(
    caller: PublicAccess,
    session: Transaction,
    owner: Annotated[str | None, Query(max_length=40)] = None,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[TopicRead]:
    key = decode_cursor(cursor, 1)
    after = str(key[0]) if key else None
    rows = await actions.list_topics(session, caller=caller, owner=owner, after=after, limit=limit)
    return page(rows, limit, _read, lambda row: [row.type])


@router.get("/{kind}", responses=responses(TopicUnknown))
async def read_topic(kind: EventType, caller: PublicAccess, session: Transaction) -> TopicRead:
    return _read(await actions.find_topic(session, caller=caller, kind=kind))


@router.get("/{kind}/versions", responses=responses(TopicUnknown))
async def list_versions(
    kind: EventType, caller: PublicAccess, session: Transaction
) -> Page[VersionRead]:
    rows = await actions.list_versions(session, caller=caller, kind=kind)
    return Page(items=[VersionRead.model_validate(row) for row in rows])


@router.post("/{kind}/deprecate", responses=responses(TopicUnknown, NotTheOwner, FieldInvalid))
async def deprecate_topic(
    request: Request,
    kind: EventType,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: Deprecation,
) -> TopicRead:
    clock: Clock = request.app.state.clock
    done = await actions.deprecate_topic(
        session, clock, caller=caller, kind=kind, successor=wanted.successor
    )
    return _read(done)


@document_router.get("/asyncapi.json")
async def read_asyncapi(
    request: Request, caller: PublicAccess, session: Transaction
) -> dict[str, Any]:
    """The AsyncAPI 3.0 document of all event types."""
    rows = await actions.list_topics(
        session, caller=caller, owner=None, after=None, limit=DOCUMENT_TYPES_MAX
    )
    return document(rows[:DOCUMENT_TYPES_MAX], str(request.app.state.settings.public_url))
