"""One connection to a webhook's address: a request whole, and of its answer what says whether it
was taken.

llhttp reads; what is bounded is how much of it. Owns no address and no choice of connection
(`client`). A connection whose answer was not whole, alone and at its end is never used again.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import cast

import httptools

ANSWER_READ_BYTES = 1_024
HEAD_BYTES_MAX = 64 * 1024
_FINAL = 200
_BODY_HEADERS = ("content-length", "transfer-encoding")
_TOLD_HEADERS = frozenset({*_BODY_HEADERS, "retry-after", "webhook-allowed-origin"})


class Unanswered(Exception):
    """No answer that can be read; the text says why, without what the address answered."""


class ClosedUnused(Unanswered):
    """Closed without a byte: what had been open for a while was just being closed."""


@dataclass(slots=True)
class Answer:
    """`headers` are those that the bus reads, in lower case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict[str, str])


class Connection(asyncio.Protocol):
    """One exchange at a time; `is_free` between two."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._waiter: asyncio.Future[Answer] | None = None
        self._answer, self._has_head = Answer(), False
        self._size = self._body = 0
        self._is_open = self._stays = False
        self.freed_at = 0.0

    @property
    def is_free(self) -> bool:
        return self._is_open and self._waiter is None

    async def ask(self, request: bytes) -> Answer:
        """Sends `request`. Raises: Unanswered. Cut off by its caller, it closes the connection."""
        if self._transport is None or not self._is_open:
            raise ClosedUnused("the address closed the connection")
        loop = asyncio.get_running_loop()
        self._parser, self._waiter = httptools.HttpResponseParser(self), loop.create_future()
        self._answer, self._has_head, self._stays = Answer(), False, False
        self._size = self._body = 0
        self._transport.write(request)
        try:
            return await self._waiter
        finally:
            self._parser = self._waiter = None
            self.freed_at = loop.time()
            if not self._stays:
                self.abort()

    def abort(self) -> None:
        """Closes at once; what is on its way is not read."""
        self._is_open = False
        if self._transport is not None:
            self._transport.abort()

    # Called by the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport is none of asyncio's classes.
        self._transport, self._is_open = cast("asyncio.Transport", transport), True

    def data_received(self, data: bytes) -> None:
        if self._parser is None or self._is_answered:
            self._stays = False  # nobody asked: it would be taken for the next answer
            self.abort()
            return
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._stays = False
            self._fail(Unanswered("the answer is no HTTP/1.1"))
        if self._size > HEAD_BYTES_MAX and not self._is_answered:
            self._fail(Unanswered("the head of the answer has no end"))

    def eof_received(self) -> bool:
        is_whole = self._has_head and not self._answer.headers.keys() & set(_BODY_HEADERS)
        if is_whole:  # RFC 9112, section 6.3: such a body ends with the connection
            self._finish(stays=False)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_open = self._stays = False
        if isinstance(exc, ssl.SSLError):
            self._fail(Unanswered(f"TLS broke off: {exc.reason or 'no reason told'}"))
        kind = Unanswered if self._size else ClosedUnused
        self._fail(kind("the address closed the connection before its answer was whole"))

    # Called by the parser.

    def on_message_begin(self) -> None:
        if self._is_answered:
            self._stays = False

    def on_header(self, name: bytes, value: bytes) -> None:
        told = name.decode("latin-1").lower()
        if told in _TOLD_HEADERS and not self._has_head:
            self._answer.headers[told] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        if self._has_head or self._parser is None:
            return
        status = self._parser.get_status_code()
        if status < _FINAL:
            self._answer.headers.clear()  # an interim answer; the one that counts follows
            return
        self._answer.status, self._has_head = status, True
        length = self._answer.headers.get("content-length", "")
        if length.isdigit() and int(length) > ANSWER_READ_BYTES:
            self._finish(stays=False)

    def on_body(self, chunk: bytes) -> None:
        self._body += len(chunk)
        if self._body > ANSWER_READ_BYTES:
            self._finish(stays=False)

    def on_message_complete(self) -> None:
        if self._has_head and self._parser is not None:
            self._finish(stays=self._parser.should_keep_alive())

    @property
    def _is_answered(self) -> bool:
        return self._waiter is None or self._waiter.done()

    def _finish(self, *, stays: bool) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._stays = stays
            self._waiter.set_result(self._answer)
            if not stays and self._transport is not None:
                self._transport.pause_reading()  # not one byte more, until it is closed

    def _fail(self, error: Unanswered) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
