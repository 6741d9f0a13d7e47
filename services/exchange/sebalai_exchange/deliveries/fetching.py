"""HTTP of fetching: pull with leases and long polls, and server-sent events."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from functools import lru_cache
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from sebalai_shared.caller import Caller, IdentifiedAccess
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database, Transaction
from sebalai_shared.problems import responses

from sebalai_exchange.deliveries import pulling
from sebalai_exchange.deliveries.hub import Hub, TooManyStreams
from sebalai_exchange.deliveries.listener import Listener
from sebalai_exchange.deliveries.pulling import LEASE, Batch, LeaseLost, WrongKind
from sebalai_exchange.deliveries.schema import (
    AckRead,
    AckWanted,
    BatchRead,
    NackWanted,
    PulledRead,
    PullWanted,
)
from sebalai_exchange.deliveries.sender import body_of
from sebalai_exchange.inputs import INPUT
from sebalai_exchange.publishing.actions import Stored, head
from sebalai_exchange.streams import ENDLESS, CountedStream
from sebalai_exchange.subscriptions.actions import (
    NothingToHear,
    NotTheSubscriber,
    Serving,
    SubscriptionUnknown,
    matchers,
    own_subscription,
    standings,
    unheard,
)

router = APIRouter(prefix="/v1/subscriptions", tags=["deliveries"], responses=INPUT)

HEARTBEAT_SECONDS = 15.0
STREAM_SECONDS = 300.0
POLL_SECONDS = 1.0
FRAMES_KEPT = 256
_OWN = responses(SubscriptionUnknown, NotTheSubscriber)
_PULL_PROBLEMS = _OWN | responses(WrongKind, NothingToHear)
_STREAM_PROBLEMS = _OWN | responses(WrongKind, NothingToHear, TooManyStreams)
_LEASE_PROBLEMS = _OWN | responses(LeaseLost)


@router.post("/{ident}/pull", responses=_PULL_PROBLEMS)
async def pull(
    request: Request, ident: UUID, caller: IdentifiedAccess, wanted: PullWanted
) -> BatchRead:
    """Answers as soon as there is something, at the latest after `wait_seconds`."""
    hub: Hub = request.app.state.hub
    batch = await _pull_once(request, ident, caller, wanted)
    if not batch.events and wanted.wait_seconds:
        await hub.start()
        ends = asyncio.get_running_loop().time() + wanted.wait_seconds
        while not batch.events and (left := ends - asyncio.get_running_loop().time()) > 0:
            # Leases and delays end without a bell, so it is looked at each second too.
            await hub.grown(hub.tail.last, min(left, POLL_SECONDS))
            batch = await _pull_once(request, ident, caller, wanted)
    return BatchRead(
        lease=batch.lease,
        lease_seconds=int(LEASE.total_seconds()),
        events=[
            PulledRead(event_id=ident, event=orjson.loads(body)) for ident, body in batch.events
        ],
    )


async def _pull_once(request: Request, ident: UUID, caller: Caller, wanted: PullWanted) -> Batch:
    """A transaction of its own: a long poll must not hold one open."""
    database: Database = request.app.state.database
    clock: Clock = request.app.state.clock
    async with database.transaction() as session:
        found = await own_subscription(session, caller=caller, ident=ident)
        heard = await matchers(session, clock, subscriptions=[found])
        return await pulling.pull(session, clock, by=(found, heard[ident]), limit=wanted.max)


@router.post("/{ident}/ack", responses=_LEASE_PROBLEMS)
async def acknowledge(
    request: Request, ident: UUID, caller: IdentifiedAccess, session: Transaction, wanted: AckWanted
) -> AckRead:
    clock: Clock = request.app.state.clock
    await own_subscription(session, caller=caller, ident=ident)
    done = await pulling.acknowledge(
        session, clock, ident=ident, lease=wanted.lease, events=wanted.event_ids
    )
    return AckRead(count=done)


@router.post("/{ident}/nack", responses=_LEASE_PROBLEMS)
async def give_back(
    request: Request,
    ident: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: NackWanted,
) -> AckRead:
    clock: Clock = request.app.state.clock
    await own_subscription(session, caller=caller, ident=ident)
    done = await pulling.give_back(
        session,
        clock,
        ident=ident,
        lease=wanted.lease,
        events=wanted.event_ids,
        delay=timedelta(seconds=wanted.delay_seconds),
    )
    return AckRead(count=done)


class _Stream:
    """One client. It ends after a while so that the client comes anew, and with its right."""

    def __init__(self, request: Request, ident: UUID, caller: Caller) -> None:
        self._state, self._ident, self._caller = request.app.state, ident, caller
        self.head = 0

    async def look(self) -> tuple[Serving, int]:
        """What it may hear of, and where it begins. Raises what the route tells."""
        async with self._state.database.transaction() as session:
            found = await own_subscription(session, caller=self._caller, ident=self._ident)
            heard = await matchers(session, self._state.clock, subscriptions=[found])
            standing = await standings(session, idents=[found.id])
            self.head = await head(session)
        if found.kind != "sse" or found.state != "active":
            raise WrongKind("Stream an active subscription of kind sse.")
        if not heard[found.id].modes:
            raise unheard(found)
        return Serving(found, heard[found.id]), standing[found.id].position

    async def events(self, listener: Listener) -> AsyncGenerator[bytes]:
        hub: Hub = self._state.hub
        clock = asyncio.get_running_loop().time
        ends = clock() + STREAM_SECONDS
        yield b"retry: 1000\n\n"
        while clock() < ends and not listener.right.is_over:
            listener.hush()
            found = await hub.heard_by(listener)
            if found:
                yield b"".join(_frame(event) for event in found)
            elif await listener.rest():
                yield b": still here\n\n"


@lru_cache(FRAMES_KEPT)
def _frame(event: Stored) -> bytes:
    """Made once for all streams of a process that hear of the event."""
    head = f"id: {event.pos}\nevent: {event.type}\ndata: ".encode()
    return head + body_of(event) + b"\n\n"


@router.get(
    "/{ident}/stream",
    responses=ENDLESS | _STREAM_PROBLEMS,
    response_class=StreamingResponse,
)
async def stream(
    request: Request,
    ident: UUID,
    caller: IdentifiedAccess,
    last_event_id: Annotated[str | None, Header(pattern=r"^[0-9]{1,15}$")] = None,
    after: Annotated[int | None, Query(ge=0, le=10**15)] = None,
) -> StreamingResponse:
    """Server-sent events from behind `Last-Event-ID`, `after`, or the subscription's start.

    The client keeps its own place: nothing tells the bus what it has read.
    """
    hub: Hub = request.app.state.hub
    await hub.start()
    client = _Stream(request, ident, caller)
    serving, begin = await client.look()
    wanted = int(last_event_id) if last_event_id else (begin if after is None else after)
    # Ahead of the log is only who read one that was restored since; what comes now is new to it.
    position = min(wanted, client.head)
    listener = hub.enter(serving, position, HEARTBEAT_SECONDS)
    return CountedStream(client.events(listener), lambda: hub.leave(serving.subscription, listener))
