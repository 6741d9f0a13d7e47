"""One signed POST to a webhook, and what came of it.

Addresses are checked at each connect (`shared.http`), redirects are not followed, TLS is verified,
and of an answer no more is read than says whether it was taken.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from sebalai_shared.addresses import Reach
from sebalai_shared.clock import Clock
from sebalai_shared.events import CONTENT_TYPE

from sebalai_exchange.deliveries.client import Client
from sebalai_exchange.deliveries.connection import Unanswered
from sebalai_exchange.publishing.actions import Stored
from sebalai_exchange.subscriptions.actions import Subscription, WebhookSecrets, signature

TIMEOUT_SECONDS = 15.0
REASON_LENGTH_MAX = 200
AGENT = "Sebalai-Webhooks/1"
GONE, TOO_MANY, TIMED_OUT = 410, 429, 408


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status` is None when no answer came; `retry_after` in seconds."""

    status: int | None
    reason: str | None
    milliseconds: int
    retry_after: float | None = None

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == GONE

    @property
    def is_refusal(self) -> bool:
        """The address answers and says that it is this event it will not take."""
        status = self.status or 0
        return 400 <= status < 500 and status not in (GONE, TOO_MANY, TIMED_OUT)


def body_of(event: Stored) -> bytes:
    """The event as it was published, with what the bus adds."""
    document = event.document.rstrip()
    if '"publisher"' in document:
        document = _without_publisher(document)
    return document[:-1].encode() + b"," + orjson.dumps(event.added)[1:]


def _without_publisher(document: str) -> str:
    """Events kept from before the bus named it may hold an attribute of that name."""
    fields = orjson.loads(document)
    fields.pop("publisher", None)
    return orjson.dumps(fields).decode()


class Sender:
    """The client of one address with what it signs."""

    def __init__(self, reach: Reach, secrets: WebhookSecrets, clock: Clock) -> None:
        self._client, self._secrets, self._clock = Client(reach), secrets, clock
        self._keys: tuple[object, list[bytes]] | None = None

    def close(self) -> None:
        self._client.close()

    async def send(self, to: Subscription, event: Stored, *, is_replay: bool) -> Outcome:
        """Never raises for what the other side does; a replay says so in `webhook-replay`."""
        body = body_of(event)
        headers = self._headers(to, event.event_id, body)
        if is_replay:
            headers["webhook-replay"] = "true"
        return await self.request("POST", str(to.url), headers, body)

    def _headers(self, to: Subscription, event_id: UUID, body: bytes) -> dict[str, str]:
        now = self._clock.now()
        stamp, ident = int(now.timestamp()), str(event_id)
        signed = [signature(secret, ident, stamp, body) for secret in self._secrets_of(to, now)]
        return {
            "content-type": CONTENT_TYPE,
            "user-agent": AGENT,
            "webhook-id": ident,
            "webhook-timestamp": str(stamp),
            "webhook-signature": " ".join(signed),
        }

    def _secrets_of(self, to: Subscription, now: datetime) -> list[bytes]:
        overlaps = to.previous_until is not None and now < to.previous_until
        wanted = (to.secret_generation, overlaps)
        if self._keys is None or self._keys[0] != wanted:
            last = to.secret_generation
            numbers = [last, last - 1] if overlaps and last > 1 else [last]
            self._keys = wanted, [self._secrets.secret(to.id, number) for number in numbers]
        return self._keys[1]

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Outcome:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                status, reason, after = await self._exchange(method, url, headers, body)
        except TimeoutError:
            status, reason, after = None, f"no answer within {TIMEOUT_SECONDS:.0f} s", None
        except Unanswered as error:
            status, reason, after = None, str(error)[:REASON_LENGTH_MAX].replace("\0", ""), None
        return Outcome(status, reason, int((time.monotonic() - begun) * 1_000), after)

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, str | None, float | None]:
        answer = await self._client.ask(method, url, headers, body)
        if 300 <= answer.status < 400:
            return answer.status, "answers with a redirect, which is not followed", None
        allowed = answer.headers.get("webhook-allowed-origin")
        reason = allowed if method == "OPTIONS" else None
        return answer.status, reason, _seconds(answer.headers.get("retry-after"))


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; a date is not honoured, for whose clock would it be?"""
    return float(text) if text is not None and text.isdigit() and len(text) < 8 else None
