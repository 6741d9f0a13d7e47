"""A developer's own webhook: an event is posted to it as the bus would, signed the same way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from binascii import Error as Base64Error
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sebalai_shared import http
from sebalai_shared.addresses import Reach

from sebalai_local.failures import Misuse

CONTENT_TYPE = "application/cloudevents+json"
PREFIX = "whsec_"
SECRET_BYTES = 32
HOOK_SECONDS = 8.0


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """Raises: Misuse."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (Base64Error, ValueError):
        key = b""
    if not key:
        raise Misuse("This is no webhook secret.", "whsec_ and base64, as the bus spells them.")
    return key


def compact(event: dict[str, Any]) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def signed(key: bytes, ident: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Standard Webhooks 1.0.0: `v1` over `id.timestamp.body`; `timestamp` in Unix seconds."""
    told = hmac.digest(key, f"{ident}.{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "content-type": CONTENT_TYPE,
        "webhook-id": ident,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": "v1," + base64.b64encode(told).decode(),
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is None when none came, and `reason` says why."""

    status: int | None
    milliseconds: int
    reason: str = ""

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    def __str__(self) -> str:
        return f"{self.status or self.reason} in {self.milliseconds} ms"


class Hook:
    def __init__(self, client: http.Client, url: str, key: bytes) -> None:
        self._client, self._url, self._key = client, url, key

    async def post(self, ident: str, event: dict[str, Any]) -> Answer:
        """Never raises for what the other side does. `ident` is the same in every try."""
        body, begun = compact(event), time.monotonic()
        headers = signed(self._key, ident, int(time.time()), body)
        status, reason = None, ""
        try:
            status = (await self._client.post(self._url, headers=headers, content=body)).status_code
        except (http.Error, OSError, ValueError) as error:
            reason = str(error) or type(error).__name__
        return Answer(status, int((time.monotonic() - begun) * 1_000), reason)


@asynccontextmanager
async def hook(url: str, key: bytes) -> AsyncGenerator[Hook]:
    # The developer's own machine and address: no inner network to guard here.
    reach = Reach.parse(["0.0.0.0/0", "::/0"])
    async with http.client(reach, read_seconds=HOOK_SECONDS) as client:
        yield Hook(client, url, key)
