"""NATS JetStream behind our own few verbs: connect, declare streams, publish with an ack, buckets.

Raw JetStream API calls where nats-py has no field for what the server can do (atomic batches,
consumer reset). The broker is a transport: what it loses is sent again from PostgreSQL.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import nats
import orjson
from nats.aio.client import Client
from nats.errors import Error as NatsError

from sebalai_shared.clock import from_text
from sebalai_shared.settings import MemberSettings

log = logging.getLogger(__name__)

PING_SECONDS = 5
PINGS_OUTSTANDING = 2
RECONNECT_WAIT_SECONDS = 0.5
ANSWER_SECONDS = 5.0
ANSWERS_MAX = 64
STREAM_RETRY_SECONDS = 1.0
REFUSED_MAX = 64
MINIMUM_SERVER = (2, 14)
ERR_BATCH_DUPLICATE = 10201
ERR_STREAM_EXISTS = 10058
DAY_NS = 86_400 * 1_000_000_000

EVENTS: dict[str, Any] = {
    "name": "EVENTS",
    "subjects": ["sebalai.>"],
    "max_age": 30 * DAY_NS,
    "max_bytes": 1024**3,
}
# Read by one consumer, then gone; when it is full the relay waits and the rows stay in PostgreSQL.
JOURNAL: dict[str, Any] = {
    "name": "JOURNAL",
    "subjects": ["journal.>"],
    "retention": "workqueue",
    "discard": "new",
    "max_bytes": 2 * 1024**3,
}
_REFUSED = re.compile(r'permissions violation for publish to "([^"]+)"', re.IGNORECASE)
_STREAM_DEFAULTS: dict[str, Any] = {
    "storage": "file",
    "retention": "limits",
    "discard": "old",
    "num_replicas": 1,
    "duplicate_window": 600 * 1_000_000_000,
    "allow_atomic": True,
    "deny_delete": True,
    "compression": "s2",
}


class BrokerUnavailable(Exception):
    """NATS cannot be reached or did not answer in time; the caller tries again later."""


class BrokerRefused(BrokerUnavailable):
    """The broker's users do not let us say this: they are older than this program, most often."""

    def __init__(self, user: str | None, subject: str) -> None:
        super().__init__(
            f"NATS refuses {user} the subject {subject}; its users.conf is older than this program:"
            " start NATS anew with the present one"
        )


class ApiError(Exception):
    """JetStream answered with an error."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Sending:
    subject: str
    message_id: str
    payload: bytes
    headers: Mapping[str, str]


class Broker:
    """One connection a process. `on_reconnect` callbacks run after each re-established one."""

    def __init__(self, settings: MemberSettings) -> None:
        self._settings = settings
        self._client = Client()
        self._refused = set[str]()
        self._on_reconnect: list[Callable[[], Awaitable[None]]] = []

    @property
    def client(self) -> Client:
        return self._client

    @property
    def is_connected(self) -> bool:
        return self._client.is_connected

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> None:
        self._on_reconnect.append(callback)

    async def connect(self, beat: Callable[[], None] = lambda: None) -> None:
        """Waits until NATS is there, however long; `beat` is called in every try.

        Raises `RuntimeError` when the server is older than MINIMUM_SERVER.
        """
        told = False
        while True:
            beat()
            try:
                await self._connect_once()
                break
            except (NatsError, OSError, TimeoutError) as error:
                if not told:
                    log.warning("waiting for NATS: %s", str(error) or type(error).__name__)
                    told = True
                await asyncio.sleep(RECONNECT_WAIT_SECONDS)
        self._require_version()

    async def _connect_once(self) -> None:
        self._client = await nats.connect(
            **_identification(self._settings),
            connect_timeout=2,
            ping_interval=PING_SECONDS,
            max_outstanding_pings=PINGS_OUTSTANDING,
            reconnect_time_wait=RECONNECT_WAIT_SECONDS,
            max_reconnect_attempts=-1,
            error_cb=self._note_error,
            disconnected_cb=self._note_disconnect,
            reconnected_cb=self._note_reconnect,
        )

    def _require_version(self) -> None:
        version = self._client.connected_server_version
        if (version.major, version.minor) < MINIMUM_SERVER:
            raise RuntimeError(f"NATS {version} is too old: 2.14 or newer is needed")

    async def _note_error(self, error: Exception) -> None:
        log.debug("nats: %s", error)
        refused = _REFUSED.search(str(error))
        if refused is not None and len(self._refused) < REFUSED_MAX:
            self._refused.add(refused[1].lower())

    async def _note_disconnect(self) -> None:
        log.warning("NATS connection lost; trying again")

    async def _note_reconnect(self) -> None:
        log.info("NATS connection is back")
        for callback in self._on_reconnect:
            await callback()

    async def close(self) -> None:
        # A client that never connected has nothing to close, and nats-py asserts on it.
        if self._client.is_connected or self._client.is_reconnecting:
            await self._client.close()

    async def api(self, verb: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One JetStream API request. Raises: ApiError, BrokerUnavailable, BrokerRefused."""
        payload = orjson.dumps(body) if body is not None else b""
        return _checked(await self._request(f"$JS.API.{verb}", payload, None))

    async def ensure_stream(self, config: Mapping[str, Any], *, is_owner: bool = False) -> None:
        """Creates the stream; its owner also brings an existing one to this configuration."""
        wanted = {**_STREAM_DEFAULTS, **config}
        try:
            await self.api(f"STREAM.CREATE.{wanted['name']}", wanted)
        except ApiError as error:
            if error.code != ERR_STREAM_EXISTS:
                raise
            if is_owner:
                await self.api(f"STREAM.UPDATE.{wanted['name']}", wanted)

    async def await_streams(self, *configs: Mapping[str, Any], is_owner: bool = False) -> None:
        """`ensure_stream` of each, however long NATS does not let us; says why once a reason."""
        told = ""
        while True:
            try:
                for config in configs:
                    await self.ensure_stream(config, is_owner=is_owner)
            except (BrokerUnavailable, ApiError) as error:
                if str(error) != told:
                    told = str(error)
                    log.warning("streams wait: %s", told)
                await asyncio.sleep(STREAM_RETRY_SECONDS)
            else:
                return

    async def stream_created(self, name: str) -> datetime:
        """When this stream began: another time than before means that all it held is gone.

        Raises: BrokerUnavailable, ApiError.
        """
        return from_text((await self.api(f"STREAM.INFO.{name}"))["created"])

    async def publish(self, sending: Sending) -> None:
        """One message, acknowledged. Raises: BrokerUnavailable, ApiError."""
        headers = {**sending.headers, "Nats-Msg-Id": sending.message_id}
        _checked(await self._request(sending.subject, sending.payload, headers))

    async def publish_batch(self, sendings: Sequence[Sending], batch_id: str) -> None:
        """All or none, in order, with one group of fsyncs (atomic batch, server 2.12).

        Raises: BrokerUnavailable; ApiError with ERR_BATCH_DUPLICATE when one is stored already.
        """
        last = len(sendings)
        for sequence, sending in enumerate(sendings, start=1):
            headers = {
                **sending.headers,
                "Nats-Msg-Id": sending.message_id,
                "Nats-Batch-Id": batch_id,
                "Nats-Batch-Sequence": str(sequence),
            }
            if sequence < last:
                await self._client.publish(sending.subject, sending.payload, headers=headers)
                continue
            headers["Nats-Batch-Commit"] = "1"
            _checked(await self._request(sending.subject, sending.payload, headers))

    async def gather(self, subject: str, payload: bytes, quiet_seconds: float) -> list[bytes]:
        """What all who listen answer, at most ANSWERS_MAX, until none comes for `quiet_seconds`
        after the last; 0 waits for the first alone. Raises: BrokerUnavailable.
        """
        answers, wait = list[bytes](), ANSWER_SECONDS
        try:
            inbox = self._client.new_inbox()
            heard = await self._client.subscribe(inbox, max_msgs=ANSWERS_MAX)
            try:
                await self._client.publish(subject, payload, reply=inbox)
                while wait and len(answers) < ANSWERS_MAX:
                    answers.append((await heard.next_msg(timeout=wait)).data)
                    wait = quiet_seconds
            finally:
                await heard.unsubscribe()
        except (NatsError, OSError, TimeoutError) as error:
            if not answers:
                raise BrokerUnavailable(str(error) or type(error).__name__) from error
        leave_if_cancelled()
        return answers

    async def _request(self, subject: str, payload: bytes, headers: dict[str, str] | None) -> bytes:
        try:
            reply = await self._client.request(
                subject, payload, timeout=ANSWER_SECONDS, headers=headers
            )
        except (NatsError, OSError, TimeoutError) as error:
            if subject.lower() in self._refused:  # told apart from the wait, as the protocol has it
                self._refused.discard(subject.lower())
                raise BrokerRefused(urlsplit(self._settings.nats_url).username, subject) from error
            raise BrokerUnavailable(str(error) or type(error).__name__) from error
        leave_if_cancelled()
        return reply.data


def _identification(settings: MemberSettings) -> dict[str, Any]:
    """Address and secret: of the user named in the URL, or of a broker that knows only a token.

    A user hears only its own inboxes (deploy/nats/users.conf), so they carry its name.
    """
    secret = settings.nats_token.get_secret_value() if settings.nats_token else None
    user = urlsplit(settings.nats_url).username
    if user is None:
        return {"servers": settings.nats_url, "token": secret}
    url = settings.nats_url.replace(f"{user}@", "", 1)
    return {"servers": url, "user": user, "password": secret, "inbox_prefix": f"_INBOX_{user}"}


def leave_if_cancelled() -> None:
    """Raises the cancellation that `asyncio.wait_for` of Python 3.11 swallows when it arrives
    together with the answer (nats-py waits with it); without this a worker may not stop.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _checked(reply: bytes) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(reply) if reply else {}
    error = document.get("error")
    if error:
        raise ApiError(int(error.get("err_code", error.get("code", 0))), error["description"])
    return document
