"""Keeps the broker as the database says: a consumer for each direct subscription with the types it
may hear of, and no connection of one that may not.

Looks each second and whenever an agreement, an interface, a group or a subscription changes.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sebalai_shared.broker import ApiError, Broker, BrokerUnavailable
from sebalai_shared.clock import Clock, from_text, to_text
from sebalai_shared.database import Database
from sebalai_shared.driver import FAILED
from sqlalchemy.exc import SQLAlchemyError

from sebalai_exchange.direct import access
from sebalai_exchange.direct.callout import Callout
from sebalai_exchange.direct.connections import Connected, Connections
from sebalai_exchange.subscriptions.actions import NEWS, Direct, Serving, directs, place, servings

log = logging.getLogger(__name__)

REQUESTS = "$SYS.REQ.USER.AUTH"
ANSWER_SECONDS = 1.5  # the broker gives up after 2 s
REFRESH_SECONDS = 1.0
RETRY_SECONDS = 0.5
# Everything is compared anew so often: what was lost or begun behind our back is found.
COMPARE_EACH_SECONDS = 30.0
# While the database is away nothing can be revoked in it; but a worker that is cut off from it
# must not keep old rights for long.
KEPT_SECONDS = 30.0
# Who was being admitted while a right ended is not among the connections at once.
SWEEP_SECONDS = 3.0
PAUSE_SECONDS = 0.05  # changes come in swarms
ACK_WAIT_NS = 60 * 1_000_000_000
ACK_PENDING_MAX = 500
WAITING_MAX = 64
BATCH_MAX = 500
_AWAY = (*FAILED, SQLAlchemyError)


class Steward:
    """`beat` is called in every pass, for the heartbeat file."""

    def __init__(
        self,
        dsn: str,
        database: Database,
        clock: Clock,
        broker: Broker,
        connections: Connections,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._dsn, self._database, self._clock = dsn, database, clock
        self._broker, self._connections, self._beat = broker, connections, beat
        self._bell = asyncio.Event()
        self._shaped = dict[UUID, list[str]]()
        self._admitted, self._is_tidy = frozenset[str](), False
        self._known_at = self._compared_at = self._swept_until = 0.0
        broker.on_reconnect(self._after_reconnect)

    async def _after_reconnect(self) -> None:
        # A broker that lost its disk lost the consumers too.
        self._forget()
        self._bell.set()

    def _forget(self) -> None:
        """Everything is looked at and compared anew."""
        self._shaped.clear()
        self._is_tidy, self._compared_at = False, 0.0

    async def answer(self, callout: Callout) -> None:
        """Begins to answer the broker about new connections; workers share the requests."""

        async def take(message: Any) -> None:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    told = await callout.answer(message.data)
            except _AWAY as error:
                log.warning("nobody is admitted: %s", str(error) or type(error).__name__)
                return
            if told:
                await message.respond(told)

        await self._broker.client.subscribe(REQUESTS, queue="direct", cb=take)

    async def run(self) -> None:
        """Runs until cancelled; survives a broker and a database that come and go."""
        self._known_at = asyncio.get_running_loop().time()
        while True:
            try:
                await self._follow()
            except (*_AWAY, BrokerUnavailable, ApiError) as error:
                log.warning("direct subscriptions wait: %s", str(error) or type(error).__name__)
            self._forget()
            await self._leave_nobody_unknown()
            await asyncio.sleep(RETRY_SECONDS)

    async def _leave_nobody_unknown(self) -> None:
        if asyncio.get_running_loop().time() - self._known_at > KEPT_SECONDS:
            self._admitted = frozenset()
            with contextlib.suppress(BrokerUnavailable):
                for one in await self._connections.listed():
                    await self._connections.close(one)

    async def _follow(self) -> None:
        connection = await asyncpg.connect(self._dsn)
        try:
            for channel in NEWS:
                await connection.add_listener(channel, self._ring)
            while not connection.is_closed():
                self._beat()
                self._bell.clear()  # before the look: a change during it must not be lost
                await self.look()
                await asyncio.sleep(PAUSE_SECONDS)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(REFRESH_SECONDS):
                        await self._bell.wait()
        finally:
            connection.terminate()

    def _ring(self, *_: object) -> None:
        self._bell.set()

    async def look(self) -> None:
        """One pass. Raises what the driver raises, `BrokerUnavailable`, `ApiError`."""
        began = asyncio.get_running_loop().time()
        if began - self._compared_at > COMPARE_EACH_SECONDS:
            self._forget()
            self._compared_at, self._swept_until = began, began + SWEEP_SECONDS
        # Before the rights are read: who comes in later may have one that is newer than these.
        connected = await self._connections.listed() if began < self._swept_until else []
        async with self._database.transaction() as session:
            known = {one.ident: one for one in await directs(session)}
            found = await servings(session, self._clock, idents=list(known)) if known else {}
        self._known_at = began
        live = {ident: known[ident] for ident, one in found.items() if one.serves("nats")}
        await self._sweep(connected, frozenset(one.user for one in live.values()))
        await self._shape(live, found)
        await self._tidy(known)

    async def _sweep(self, connected: Sequence[Connected], admitted: frozenset[str]) -> None:
        if self._admitted - admitted:
            self._swept_until = asyncio.get_running_loop().time() + SWEEP_SECONDS
            self._bell.set()
        self._admitted = admitted
        for one in connected:
            if one.user not in admitted:
                await self._connections.close(one)

    async def _shape(self, live: Mapping[UUID, Direct], found: Mapping[UUID, Serving]) -> None:
        for ident, one in live.items():
            types = sorted(found[ident].matcher.modes)
            if self._shaped.get(ident) != types:
                name = access.consumer_of(ident)
                start = one.placed_at or await self._place(one)
                wanted = {"stream_name": access.STREAM, "config": config(ident, start, types)}
                await self._broker.api(f"CONSUMER.CREATE.{access.STREAM}.{name}", wanted)
                self._shaped[ident] = types

    async def _place(self, one: Direct) -> datetime:
        """Its start as the broker will compare it with its events: our clocks may differ, and what
        lay between them would be lost. Never later than now, nor than another host's clock has it.
        """
        told = from_text((await self._broker.api(f"STREAM.INFO.{access.STREAM}"))["ts"])
        start = min(one.starts_at - (self._clock.now() - told), told)
        async with self._database.transaction() as session:
            return await place(session, ident=one.ident, at=start)

    async def _tidy(self, known: Mapping[UUID, Direct]) -> None:
        """Consumers of ended subscriptions go."""
        ended = [ident for ident in self._shaped if ident not in known]
        if self._is_tidy and not ended:
            return
        kept = {access.consumer_of(ident) for ident in known}
        for name in await self._names():
            if name.startswith(access.PREFIX) and name not in kept:
                await self._broker.api(f"CONSUMER.DELETE.{access.STREAM}.{name}")
        for ident in ended:
            del self._shaped[ident]
        self._is_tidy = True

    async def _names(self) -> list[str]:
        names = list[str]()
        while True:
            asked = {"offset": len(names)}
            page = await self._broker.api(f"CONSUMER.NAMES.{access.STREAM}", asked)
            found: Sequence[str] = page.get("consumers") or []
            names += found
            if not found or len(names) >= page.get("total", 0):
                return names


def config(ident: UUID, start: datetime, types: Sequence[str]) -> dict[str, Any]:
    """Of a durable pull consumer, which begins at `start` by the broker's clock. No type would mean
    every type, so there is at least one.
    """
    if not types:
        raise ValueError("a consumer without a type hears everything")
    return {
        "durable_name": access.consumer_of(ident),
        "deliver_policy": "by_start_time",
        "opt_start_time": to_text(start),
        "filter_subjects": [f"sebalai.{kind}" for kind in types],
        "ack_policy": "explicit",
        "ack_wait": ACK_WAIT_NS,
        "max_ack_pending": ACK_PENDING_MAX,
        "max_waiting": WAITING_MAX,
        "max_batch": BATCH_MAX,
    }
