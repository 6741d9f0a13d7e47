"""One signed POST to a webhook, and what came of it.

Addresses are checked at each connect (`shared.http`), redirects are not followed, TLS is verified,
and of an answer no more is read than says whether it was taken.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sebalai_shared.clock import Clock, to_text
from sebalai_shared.events import CONTENT_TYPE

from sebalai_exchange.publishing.actions import Stored
from sebalai_exchange.subscriptions.actions import Subscription, WebhookSecrets, signature

TIMEOUT_SECONDS = 15.0
ANSWER_READ_BYTES = 1_024
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
    """The event as it was published, with what the bus adds: `position` and `recordedtime`."""
    added = f',"position":"{event.pos:020d}","recordedtime":"{to_text(event.stored_at)}"}}'
    return (event.document.rstrip()[:-1] + added).encode()


class Sender:
    """The client of one address; made when first needed, closed when idle."""

    def __init__(self, reach: Reach, secrets: WebhookSecrets, clock: Clock) -> None:
        self._reach, self._secrets, self._clock = reach, secrets, clock
        self._client: http.Client | None = None
        self._keys: tuple[object, list[bytes]] | None = None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

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
        except (http.Error, OSError, ssl.SSLError, ValueError) as error:
            text = str(error) or type(error).__name__
            status, reason, after = None, text[:REASON_LENGTH_MAX].replace("\0", ""), None
        return Outcome(status, reason, int((time.monotonic() - begun) * 1_000), after)

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, str | None, float | None]:
        if self._client is None:
            self._client = http.client(self._reach, read_seconds=TIMEOUT_SECONDS)
        async with self._client.stream(method, url, headers=headers, content=body) as answer:
            size = 0
            async for chunk in answer.aiter_raw():
                size += len(chunk)
                if size > ANSWER_READ_BYTES:
                    break  # the rest is never read: leaving the block closes the connection
            status = answer.status_code
            if 300 <= status < 400:
                return status, "answers with a redirect, which is not followed", None
            allowed = answer.headers.get("webhook-allowed-origin")
            reason = allowed if method == "OPTIONS" else None
            return status, reason, _seconds(answer.headers.get("retry-after"))


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; a date is not honoured, for whose clock would it be?"""
    return float(text) if text is not None and text.isdigit() and len(text) < 8 else None
