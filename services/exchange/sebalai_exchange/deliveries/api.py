"""HTTP of deliveries: what is open, what was tried, send again, skip, replay; who received what."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.clock import Clock, from_text
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, decode_cursor, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_exchange.deliveries import actions
from sebalai_exchange.deliveries.actions import Decision, NoLane, Trace
from sebalai_exchange.deliveries.history_store import Chosen
from sebalai_exchange.deliveries.receipts import receipt_id
from sebalai_exchange.deliveries.schema import (
    AttemptRead,
    DecisionRead,
    OpenRead,
    OpenState,
    ReceiverRead,
    ReplayWanted,
    ResendWanted,
    SkipWanted,
    TraceRead,
)
from sebalai_exchange.inputs import INPUT
from sebalai_exchange.publishing.actions import EventUnknown
from sebalai_exchange.subscriptions.actions import SubscriptionUnknown

router = APIRouter(prefix="/v1", tags=["deliveries"], responses=INPUT)

_UNKNOWN = responses(SubscriptionUnknown)
_DECIDED = responses(SubscriptionUnknown, NoLane)
POSITION_MAX = 2**63 - 1
NUMBER_MAX = 2**31 - 1
_DONE = frozenset({"delivered"})


def _decision(made: Decision) -> DecisionRead:
    return DecisionRead(count=made.count, done=made.done)


@router.get("/subscriptions/{ident}/deliveries", responses=_UNKNOWN)
async def list_deliveries(
    ident: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    state: OpenState | None = None,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[OpenRead]:
    """Those not done, oldest first."""
    key = decode_cursor(cursor, 1)
    if key is not None and not (isinstance(key[0], int) and 0 <= key[0] <= POSITION_MAX):
        raise BadCursor("The cursor belongs to another list.")
    span = (int(key[0]) if key else 0, limit)
    rows = await actions.list_open(session, by=(caller, ident), state=state, span=span)
    return page(rows, limit, OpenRead.model_validate, lambda row: [row["pos"]])


@router.get("/subscriptions/{ident}/attempts", responses=_UNKNOWN)
async def list_attempts(
    ident: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    event_id: Annotated[UUID | None, Query()] = None,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[AttemptRead]:
    """Each try without its payload, newest first."""
    span = (_before(cursor), limit)
    rows = await actions.list_attempts(session, by=(caller, ident), event_id=event_id, span=span)
    return page(rows, limit, AttemptRead.model_validate, _attempt_key)


def _attempt_key(row: Any) -> list[Any]:
    return [row["at"].isoformat(), row["pos"], row["number"]]


def _place(at: Any, position: Any, number: Any) -> tuple[datetime, int, int]:
    """Raises `ValueError`, `TypeError`."""
    if not (0 <= position <= POSITION_MAX and 0 <= number <= NUMBER_MAX):
        raise ValueError("outside of what the database counts")
    return from_text(at), int(position), int(number)


def _before(cursor: str | None) -> tuple[datetime, int, int] | None:
    key = decode_cursor(cursor, 3)
    try:
        return _place(*key) if key else None
    except (ValueError, TypeError) as error:
        raise BadCursor("The cursor belongs to another list.") from error


@router.post("/subscriptions/{ident}/resend", responses=_DECIDED)
async def resend_dead(
    request: Request,
    ident: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: ResendWanted,
) -> DecisionRead:
    """Tries dead deliveries again; with `count_only` says how many there are."""
    clock: Clock = request.app.state.clock
    chosen = Chosen("dead", wanted.event_ids, wanted.key, wanted.from_position, wanted.to_position)
    made = await actions.resend_dead(
        session, clock, by=(caller, ident), chosen=chosen, is_dry=wanted.count_only
    )
    return _decision(made)


@router.post("/subscriptions/{ident}/skip", responses=_DECIDED)
async def skip_dead(
    request: Request,
    ident: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: SkipWanted,
) -> DecisionRead:
    """Gives dead deliveries up; later ones of their key go on."""
    clock: Clock = request.app.state.clock
    chosen = Chosen("dead", wanted.event_ids, wanted.key)
    made = await actions.skip_dead(
        session, clock, by=(caller, ident), chosen=chosen, reason=wanted.reason
    )
    return _decision(made)


@router.post(
    "/subscriptions/{ident}/replay", responses=responses(SubscriptionUnknown, NoLane, FieldInvalid)
)
async def replay(
    request: Request,
    ident: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: ReplayWanted,
) -> DecisionRead:
    """Delivers events of the log once more; with `count_only` says how many there are."""
    clock: Clock = request.app.state.clock
    return _decision(await actions.replay(session, clock, by=(caller, ident), wanted=wanted))


@router.get("/events/{event_id}", responses=responses(EventUnknown))
async def trace_event(
    request: Request, event_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> TraceRead:
    """Who received the event when, after how many attempts: for its publisher and the operator."""
    clock: Clock = request.app.state.clock
    found = await actions.trace_event(session, clock, caller=caller, event_id=event_id)
    return _trace(found)


def _trace(found: Trace) -> TraceRead:
    event = found.event
    receivers = [_receiver(event.event_id, row) for row in found.receivers]
    return TraceRead(
        event_id=event.event_id,
        source=event.source,
        id=event.id,
        type=event.type,
        position=event.pos or None,
        publisher=event.publisher,
        stored_at=event.stored_at,
        received=sum(one.state in _DONE for one in receivers),
        expected=len(receivers),
        receivers=receivers,
    )


def _receiver(event_id: UUID, row: dict[str, Any]) -> ReceiverRead:
    is_done = row["state"] in _DONE
    receipt = receipt_id(event_id, row["subscription"]) if is_done else None
    return ReceiverRead(**row, receipt=receipt)
