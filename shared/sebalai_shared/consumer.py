"""Takes messages from a JetStream durable and gives each to a handler inside one transaction.

At least once from the broker, once in effect by the inbox: the message id is inserted in the
handler's own transaction. A message that fails `TRIES_LIMIT` times is set aside in `dead_message`
with its reason and no longer blocks the others.

An own pull loop, because `PullSubscription.fetch` stalls (nats.py issue 986).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_shared.broker import ApiError, Broker, BrokerUnavailable, leave_if_cancelled
from sebalai_shared.database import Database
from sebalai_shared.telemetry import enter_trace

log = logging.getLogger(__name__)

CREDITS = 64
PULL_EXPIRES_SECONDS = 5.0
ACK_WAIT_NS = 30 * 1_000_000_000
ACK_TIMEOUT_SECONDS = 2.0
TRIES_LIMIT = 5
RETRY_SECONDS = 0.5
INBOX_KEPT_DAYS = 30

# Frozen once released: a member's migration executes these one by one.
INBOX_DDL_V1 = (
    """
    CREATE TABLE inbox (
      consumer text NOT NULL,
      message_id text NOT NULL,
      at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (consumer, message_id)
    )
    """,
    """
    CREATE TABLE dead_message (
      consumer text NOT NULL,
      message_id text NOT NULL,
      subject text NOT NULL,
      reason text NOT NULL,
      tries integer NOT NULL,
      payload bytea NOT NULL,
      at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (consumer, message_id)
    )
    """,
)

GAUGES = {"sebalai_dead_messages": "SELECT count(*) FROM dead_message"}

_TAKE = text(
    "INSERT INTO inbox (consumer, message_id) VALUES (:consumer, :id) ON CONFLICT DO NOTHING"
)
_BURY = text(
    "INSERT INTO dead_message (consumer, message_id, subject, reason, tries, payload) "
    "VALUES (:consumer, :id, :subject, :reason, :tries, :payload) ON CONFLICT DO NOTHING"
)

Handler = Callable[[AsyncSession, Msg], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Feed:
    """What to take: `subjects` filter within `stream`; `durable` is the consumer's lasting name."""

    stream: str
    durable: str
    subjects: Sequence[str]


class Consumer:
    """`beat` is called in every pass, for the heartbeat file."""

    def __init__(
        self,
        broker: Broker,
        database: Database,
        feed: Feed,
        handler: Handler,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._broker, self._database, self._handler, self._beat = broker, database, handler, beat
        self._stream, self._durable, self._subjects = feed.stream, feed.durable, list(feed.subjects)
        self._queue: asyncio.Queue[Msg] = asyncio.Queue()
        self._is_reset_due = True
        broker.on_reconnect(self._after_reconnect)

    async def _after_reconnect(self) -> None:
        self._is_reset_due = True

    async def run(self) -> None:
        """Runs until cancelled; survives a broker and a database that come and go."""
        while True:
            try:
                await self._run_once()
            except (BrokerUnavailable, ApiError, NatsError, OSError, TimeoutError) as error:
                log.warning(
                    "consumer %s waits: %s", self._durable, str(error) or type(error).__name__
                )
                self._is_reset_due = True
                self._beat()
                await asyncio.sleep(RETRY_SECONDS)

    async def _run_once(self) -> None:
        inbox = self._broker.client.new_inbox()
        subscription = await self._broker.client.subscribe(inbox, cb=self._queue.put)
        try:
            await self._ensure()
            while True:
                if self._is_reset_due:
                    await self._reset()
                await self._ask(inbox)
                await self._take_until_drained()
        finally:
            if self._broker.is_connected:
                await subscription.unsubscribe()

    async def _ensure(self) -> None:
        config = {
            "durable_name": self._durable,
            "ack_policy": "explicit",
            "ack_wait": ACK_WAIT_NS,
            "max_ack_pending": CREDITS,
            "filter_subjects": self._subjects,
            "deliver_policy": "all",
        }
        body = {"stream_name": self._stream, "config": config}
        await self._broker.api(f"CONSUMER.CREATE.{self._stream}.{self._durable}", body)

    async def _reset(self) -> None:
        # What was in flight counts as delivered until ack_wait; newer ones would overtake it.
        while not self._queue.empty():
            self._queue.get_nowait()
        await self._broker.api(f"CONSUMER.RESET.{self._stream}.{self._durable}")
        self._is_reset_due = False

    async def _ask(self, inbox: str) -> None:
        request = {"batch": CREDITS, "expires": int(PULL_EXPIRES_SECONDS * 1e9)}
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._durable}"
        await self._broker.client.publish(subject, orjson.dumps(request), reply=inbox)

    async def _take_until_drained(self) -> None:
        """One pull request's worth: until its credits are used, it expires, or a reset is due."""
        taken, patience = 0, PULL_EXPIRES_SECONDS + 1.0
        while taken < CREDITS and not self._is_reset_due:
            self._beat()
            try:
                async with asyncio.timeout(patience):
                    message = await self._queue.get()
            except TimeoutError:
                return
            if message.reply == "" or not message.reply.startswith("$JS.ACK"):
                return  # 404, 408 or 409: the request is over
            await self._one(message)
            taken += 1

    async def _one(self, message: Msg) -> None:
        headers = message.headers or {}
        message_id = headers.get("Nats-Msg-Id") or str(message.metadata.sequence.stream)
        enter_trace(headers.get("traceparent"))
        try:
            async with self._database.transaction() as session:
                took: Any = await session.execute(
                    _TAKE, {"consumer": self._durable, "id": message_id}
                )
                if took.rowcount:
                    await self._handler(session, message)
        except Exception as error:  # noqa: BLE001 - the worker loop: a poison message must not stop it
            await self._failed(message, message_id, error)
            return
        await self._ack(message)

    async def _ack(self, message: Msg) -> None:
        await message.ack_sync(timeout=ACK_TIMEOUT_SECONDS)
        leave_if_cancelled()

    async def _failed(self, message: Msg, message_id: str, error: Exception) -> None:
        tries = message.metadata.num_delivered
        log.error("%s failed on %s, try %d", self._durable, message_id, tries, exc_info=error)
        if tries < TRIES_LIMIT or isinstance(error, OSError):
            await message.nak(delay=RETRY_SECONDS * 2**tries)
            return
        async with self._database.transaction() as session:
            await session.execute(
                _BURY,
                {
                    "consumer": self._durable,
                    "id": message_id,
                    "subject": message.subject,
                    "reason": f"{type(error).__name__}: {error}"[:500],
                    "tries": tries,
                    "payload": message.data,
                },
            )
        await message.term()


async def sweep_inbox(session: AsyncSession) -> None:
    """Forgets ids older than INBOX_KEPT_DAYS; a job of the member's worker calls it daily."""
    await session.execute(
        text("DELETE FROM inbox WHERE at < now() - make_interval(days => :days)"),
        {"days": INBOX_KEPT_DAYS},
    )
