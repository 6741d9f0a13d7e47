"""uvicorn's HTTP/1.1 with what it leaves open closed: the head of a request is bounded in size and
in the time it may take, trailers are no headers, what cannot be read is told as a problem.

Does not own what becomes of a request: over ASGI here, past it in `fast`.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from sebalai_gateway.lanes.kept import KeptProtocol
from sebalai_gateway.refusals import Refusal

HEAD_BYTES_LIMIT = 64 * 1024
HEADERS_LIMIT = 256
# From the connection, or from the first byte of a later head, until a head is whole.
HEAD_SECONDS = 30.0
LINGER_SECONDS = 2.0
_BODY = frozenset({b"content-length", b"transfer-encoding"})


class HeadTooLarge(Exception):
    """Raised in the parser's callbacks, which makes a broken request of it."""


class BodyOfAnUpgrade(Exception):
    """As HeadTooLarge: an offer of another protocol may be ignored, but not before a body."""


class BoundedProtocol(KeptProtocol):
    """One connection of a consumer; uvicorn makes one for each (`Config(http=…)`)."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # `_room`: what head and trailers may still take together.
        self._head_bytes = self._room = 0
        self._is_over = False
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_over:
            return
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.send_400_response("")
            return
        if not self._is_in_head or self._is_over or self.transport.is_closing():
            return
        if self._patience is None:
            # This head began behind the end of another request.
            self._wait_for_head()
            return
        # A line without an end never reaches the callbacks.
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES_LIMIT:
            self._refuse(_too_large())

    def _feed(self, data: bytes) -> None:
        """Nothing is switched where another protocol is offered: what stands behind the offer is
        HTTP/1.1 as well. Raises: HttpParserError.
        """
        while data:
            try:
                cast("Any", self.parser).feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                data = data[int(offer.args[0]) :]
            else:
                return

    # Called by the parser.

    def on_message_begin(self) -> None:
        self.begin_head()
        self._is_in_head, self._head_bytes, self._room = True, 0, HEAD_BYTES_LIMIT

    def begin_head(self) -> None:
        """Room for another head, and a scope of ASGI around it."""
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._room -= len(url)
        if self._room < 0:
            raise HeadTooLarge
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._room -= len(name) + len(value)
        headers = self.headers
        if self._room < 0 or len(headers) >= HEADERS_LIMIT:
            raise HeadTooLarge
        # A trailer is no header.
        if self._is_in_head:
            headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        parser, told = cast("Any", self.parser), dict(self.headers)
        if parser.should_upgrade() and any(h[0] in _BODY and h[1] != b"0" for h in self.headers):
            # The parser leaves the body of such a request to the other protocol, and would read it
            # as the next request.
            raise BodyOfAnUpgrade
        if b"expect" in told and any(
            name == b"expect" and value.lower() == b"100-continue" for name, value in self.headers
        ):
            # An older client would take it for the answer (RFC 9110, section 10.1.1).
            self.expect_100_continue = parser.get_http_version() != "1.0"
        self._is_in_head = False
        if self._patience is not None:
            self._stop_waiting()
        self.hand_over()

    def hand_over(self) -> None:
        """A whole head, to ASGI."""
        super().on_headers_complete()

    def _wait_for_head(self) -> None:
        self._patience = self.loop.call_later(HEAD_SECONDS, self._lose_patience)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _lose_patience(self) -> None:
        self._patience = None
        if self._is_in_head:
            self._refuse(_too_slow())
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn for what the parser refuses; its words are not the consumer's."""
        del msg
        is_too_large = self._room < 0 or len(self.headers or ()) >= HEADERS_LIMIT
        self._refuse(_too_large() if is_too_large else _malformed())

    def _refuse(self, refusal: Refusal) -> None:
        """Takes nothing more on this connection. Said where nobody can take it for another call's
        answer; calls before the broken request are answered first.
        """
        self._is_over = True
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if self._is_in_head or self.pipeline:
                cycle.keep_alive = False
                return
            # It is broken in its own body: whatever would be answered to it comes too late.
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started:
                self.transport.close()
                return
        self.transport.write(_said(refusal))
        self._linger()

    def _linger(self) -> None:
        """Reads on for a moment: closed with bytes unread, the connection would be reset, and what
        was said be lost.
        """
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._stop_waiting()
        self._patience = self.loop.call_later(LINGER_SECONDS, self.transport.close)


def _said(refusal: Refusal) -> bytes:
    body = orjson.dumps(refusal.document())
    return b"".join(
        (
            STATUS_LINE[refusal.status],
            b"content-type: application/problem+json\r\ncontent-length: %d\r\n" % len(body),
            b"connection: close\r\n\r\n",
            body,
        )
    )


def _malformed() -> Refusal:
    return Refusal(
        400, "request-malformed", "The request is not HTTP/1.1",
        "Send one that can be read in one way only (RFC 9112).",
    )  # fmt: skip


def _too_large() -> Refusal:
    return Refusal(
        431, "head-too-large", "The head of the request is too large",
        f"It may have {HEAD_BYTES_LIMIT} bytes and {HEADERS_LIMIT} headers, with its trailers.",
    )  # fmt: skip


def _too_slow() -> Refusal:
    return Refusal(
        408, "head-too-slow", "The head of the request did not come in time",
        f"It is waited for {HEAD_SECONDS:g} seconds.",
    )  # fmt: skip
