"""HTTP of the list of calls: `/v1/calls`."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.clock import from_text
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, decode_cursor, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_exchange.inputs import INPUT
from sebalai_exchange.names import NAME_LENGTH_MAX, agency_of
from sebalai_exchange.streams import ENDLESS, CountedStream
from sebalai_exchange.usage import actions
from sebalai_exchange.usage.access import PUBLIC_PURPOSE
from sebalai_exchange.usage.actions import CallFilter, CallUnknown, NoCallsForYou
from sebalai_exchange.usage.schema import (
    CallRead,
    DeviationList,
    DeviationRead,
    Outcome,
    Statistics,
    StatisticsRow,
)
from sebalai_exchange.usage.tails import Tails, TooManyTails

router = APIRouter(prefix="/v1/calls", tags=["calls"], responses=INPUT)

Name = Annotated[str | None, Query(max_length=NAME_LENGTH_MAX)]
_WHOLE = (
    "forwarded_at",
    "responded_at",
    "consumer",
    "provider",
    "problem",
    "purpose",
    "legal_basis",
    "agreement",
    "rule",
    "correlation_id",
)
_PUBLIC = ("message_id", "requested_at", "interface", "method", "outcome", "status", "trace_id")


async def _filter(
    consumer: Name = None,
    interface: Name = None,
    outcome: Outcome | None = None,
    since: AwareDatetime | None = None,
    without_consumer: Name = None,
) -> CallFilter:
    return CallFilter(consumer, interface, outcome, since, without_consumer)


@router.get("", responses=responses(NoCallsForYou, BadCursor, FieldInvalid))
async def list_calls(
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: Annotated[CallFilter, Depends(_filter)],
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[CallRead]:
    """Newest first. Parties see their own, the operator all, the portal a redacted list of all."""
    view = actions.require_view(caller, wanted)
    rows = await actions.list_calls(
        session, view=view, wanted=wanted, before=_before(cursor), limit=limit
    )
    return page(
        rows,
        limit,
        lambda row: _read(row, is_redacted=view.is_redacted),
        lambda row: [row.at.isoformat(), row.message_id],
    )


def _before(cursor: str | None) -> tuple[datetime, UUID] | None:
    key = decode_cursor(cursor, 2)
    try:
        return (from_text(str(key[0])), UUID(str(key[1]))) if key else None
    except ValueError as error:
        raise BadCursor("The cursor belongs to another list.") from error


@router.get("/statistics", responses=responses(NoCallsForYou, FieldInvalid))
async def read_statistics(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> Statistics:
    """Of the caller's own calls, the operator of all; without a period, of the last 24 hours."""
    view = actions.require_view(caller)
    ends = until or request.app.state.clock.now()
    begins = since or ends - timedelta(days=1)
    rows = await actions.statistics(session, view=view, since=begins, until=ends)
    items = [StatisticsRow.model_validate(row, from_attributes=True) for row in rows]
    if view.is_redacted:
        hidden = {"consumer": None, "problem": None}
        items = [item.model_copy(update=hidden) for item in items]
    return Statistics(since=begins, until=ends, items=items)


@router.get("/deviations")
async def list_deviations(
    caller: IdentifiedAccess, session: Transaction, interface: Name = None, limit: Limit = 20
) -> DeviationList:
    """Where calls of the caller's own interfaces differ from their contracts, the most first."""
    rows = await actions.list_deviations(session, caller=caller, interface=interface, limit=limit)
    return DeviationList(
        items=[DeviationRead.model_validate(row, from_attributes=True) for row in rows]
    )


@router.get(
    "/tail",
    responses=ENDLESS | responses(NoCallsForYou, TooManyTails, FieldInvalid),
    response_class=StreamingResponse,
)
async def tail_calls(
    request: Request, caller: IdentifiedAccess, consumer: Name = None, interface: Name = None
) -> StreamingResponse:
    """Server-sent events: each of the caller's calls a moment after it ended, for ten minutes."""
    wanted = CallFilter(consumer, interface)
    view = actions.require_view(caller, wanted)
    tails: Tails = request.app.state.tails

    async def told() -> AsyncIterator[bytes]:
        async for row in tails.follow(request.app.state.database, view, wanted):
            call = _read(row, is_redacted=view.is_redacted) if row is not None else None
            yield _sse(call)

    tails.enter()
    return CountedStream(told(), tails.leave)


def _sse(call: CallRead | None) -> bytes:
    """One event, or a comment that keeps the connection open."""
    if call is None:
        return b": waiting\n\n"
    return f"id: {call.message_id}\ndata: {call.model_dump_json()}\n\n".encode()


@router.get("/{message_id}", responses=responses(NoCallsForYou, CallUnknown))
async def read_call(message_id: UUID, caller: IdentifiedAccess, session: Transaction) -> CallRead:
    view = actions.require_view(caller)
    row = await actions.find_call(session, view=view, message_id=message_id)
    return _read(row, is_redacted=view.is_redacted)


def _read(row: Any, *, is_redacted: bool) -> CallRead:
    fields = {name: getattr(row, name) for name in _PUBLIC}
    fields |= _redacted(row) if is_redacted else {name: getattr(row, name) for name in _WHOLE}
    return CallRead(**fields, completed_at=row.at, consumer_agency=_agency(row.consumer))


def _redacted(row: Any) -> dict[str, Any]:
    """The agency in place of its application; a purpose only where it is the viewer's own."""
    agency = _agency(row.consumer)
    return {
        "consumer": row.consumer.rpartition("/")[0] if agency else None,
        "purpose": row.purpose if row.purpose == PUBLIC_PURPOSE else None,
    }


def _agency(application: str | None) -> str | None:
    """The agency's slug, if the name has the form of an application's."""
    parts = (application or "").split("/")
    return agency_of(application) if application and len(parts) == 4 else None
