"""Reads the JSON documents that clients name by address (`jwks_uri`, `sector_identifier_uri`): no
redirect, no private address unless the operator named it, bounded in size, time and number.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sebalai_shared import http
from sebalai_shared.addresses import Reach

BYTES_MAX = 64 * 1024
SECONDS = 3.0
AT_ONCE = 4
RENEW_EACH = timedelta(seconds=10)
BELIEVED_FOR = timedelta(hours=1)  # then a key must still stand where its client publishes it
CLIENTS_MAX = 10_000
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


class DocumentRefused(Exception):
    """The document cannot be had; the text says why, and nothing of what stands there."""


class DocumentsBusy(DocumentRefused):
    """AT_ONCE others are being read. Nobody waits: who waits holds a connection of the database."""


class ClientDocuments:
    """One HTTP client a process, made when it is first needed."""

    def __init__(self, reach: Reach) -> None:
        self._reach, self._places = reach, asyncio.Semaphore(AT_ONCE)
        self._client: http.Client | None = None
        self._last: dict[UUID, datetime] = {}
        self._believed: dict[UUID, datetime] = {}

    def is_due(self, client_id: UUID, at: datetime) -> bool:
        """Whether what a client names may be read anew, and counts as read then: who makes up key
        ids must not start many calls.
        """
        last = self._last.get(client_id)
        if last is not None and at - last < RENEW_EACH:
            return False
        if len(self._last) >= CLIENTS_MAX:
            self._last.pop(next(iter(self._last)))
        self._last[client_id] = at
        return True

    def is_stale(self, client_id: UUID, at: datetime) -> bool:
        """Whether this process has believed what it knows of a client for so long that it must
        look again; counts as looked then.
        """
        if len(self._believed) >= CLIENTS_MAX:
            self._believed.pop(next(iter(self._believed)))
        if at - self._believed.setdefault(client_id, at) < BELIEVED_FOR:
            return False
        self._believed[client_id] = at
        return True

    async def read(self, url: str) -> Any:
        """Raises `DocumentRefused`, `DocumentsBusy`."""
        if self._places.locked():
            raise DocumentsBusy("others are being read; send the request again in a moment")
        if self._client is None:
            self._client = http.client(self._reach, read_seconds=SECONDS)
        try:
            async with self._places, asyncio.timeout(SECONDS):
                answer = await self._client.fetch(url, limit=BYTES_MAX, headers=HEADERS)
        except (http.Error, TimeoutError) as error:
            raise DocumentRefused(
                f"it is not had within {SECONDS:.0f} s, is over {BYTES_MAX} bytes, or stands where"
                " we may not call"
            ) from error
        if answer.status_code != 200:
            raise DocumentRefused("it does not answer with 200 (redirects are not followed)")
        try:
            return orjson.loads(answer.content)
        except orjson.JSONDecodeError as error:
            raise DocumentRefused("it is no JSON") from error

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None
