"""The fast lane: requests of the bus go past ASGI, everything else over it, on one connection.

Reading is uvicorn's in both lanes, and what is decided is the call path's. This is the part between
them: no scope, no messages, head and body of an answer in one write. On by setting (ADR 0022).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from sebalai_gateway.admission.proxy import Certificate
from sebalai_gateway.calls.consumer import ClientGone, Headers
from sebalai_gateway.lanes.bounded import BoundedProtocol
from sebalai_gateway.lines import head_of

# Read once: consumers call the same few paths again and again. Anybody can ask for long ones, which
# would lie here three times each.
TARGETS_KNOWN, TARGET_BYTES_KNOWN = 1_024, 1_024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BODILESS = frozenset({204, 304})
FAILED = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
Call = Callable[["FastConsumer"], Awaitable[None]]


@runtime_checkable
class Door(Protocol):
    """What an application has to offer for its calls to come this way."""

    def is_call(self, path: str) -> bool:
        """Whether the (decoded) path is one of the bus."""
        ...

    def call(self, consumer: FastConsumer) -> Awaitable[None]:
        """Serves one call."""
        ...


def _read(target: bytes) -> tuple[bytes, bytes, str]:
    """Path and query as they came, and the path decoded. Raises: HttpParserInvalidURLError."""
    parts = httptools.parse_url(target)
    path = parts.path.decode("ascii")
    return parts.path, parts.query or b"", unquote(path) if "%" in path else path


_known = lru_cache(TARGETS_KNOWN)(_read)


class FastProtocol(BoundedProtocol):
    """One connection of a consumer."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._door = self.app if isinstance(self.app, Door) else None

    def begin_head(self) -> None:
        """Room for another head; what ASGI wants besides is made when it turns out to be its."""
        self.url, self.expect_100_continue, self.headers = b"", False, []

    def hand_over(self) -> None:
        # Whatever is spelled otherwise (an absolute target, `/%721/`) is left to ASGI.
        if self._door is None or not self.url.startswith(b"/r1/") or self._is_crowded():
            self._over_asgi()
            return
        read = _known if len(self.url) <= TARGET_BYTES_KNOWN else _read
        raw_path, query, path = read(self.url)
        if self._door.is_call(path):
            self._begin(FastConsumer(self, raw_path, query), self._door.call)
        else:
            self._over_asgi()

    def _over_asgi(self) -> None:
        url, expects, headers = self.url, self.expect_100_continue, self.headers
        super().begin_head()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super().hand_over()

    def _is_crowded(self) -> bool:
        limit = self.limit_concurrency
        return limit is not None and max(len(self.connections), len(self.tasks)) >= limit

    def _begin(self, consumer: FastConsumer, call: Call) -> None:
        """Now, or when those before it on the connection are answered."""
        before, self.cycle = self.cycle, consumer
        if before is None or before.response_complete:
            self._start_asgi_task(consumer, call)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((consumer, call))


class FastConsumer:
    """One request and its answer. What has no underscore beside the `Consumer` is uvicorn's: its
    connection adds to `body`, and tells by the event and the flags what has come.
    """

    certificate: Certificate | None = None
    more_body = True
    disconnected = response_complete = response_started = False
    _has_body = _is_chunked = _is_older = False
    _head = b""
    _left: int | None = None
    _arrival: asyncio.Future[None] | None = None

    def __init__(self, connection: FastProtocol, raw_path: bytes, query: bytes) -> None:
        parser: Any = connection.parser
        self.method: str = parser.get_method().decode("ascii")
        self.raw_path, self.query, self.headers = raw_path, query, connection.headers
        self.address = connection.client[0] if connection.client else ""
        self.body = bytearray()
        if parser.get_http_version() == "1.0":
            self._is_older, self.keep_alive = True, False
        else:
            self.keep_alive = parser.should_keep_alive()
        self._expects_continue = connection.expect_100_continue
        self._connection, self._transport = connection, connection.transport
        self._flow = connection.flow

    @property
    def message_event(self) -> FastConsumer:
        """What uvicorn sets when something has come."""
        return self

    def set(self) -> None:
        """Something has come: body, its end, or the end of the connection."""
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    async def read(self) -> bytes:
        if (
            self._expects_continue
            and not self.response_started
            and not self._transport.is_closing()
        ):
            self._transport.write(CONTINUE)
        self._expects_continue = False
        while not self.body and self.more_body and not self.disconnected:
            self._flow.resume_reading()
            self._arrival = self._connection.loop.create_future()
            await self._arrival
        if self.disconnected:
            raise ClientGone
        chunk, self.body = bytes(self.body), bytearray()
        return chunk

    @property
    def has_left(self) -> bool:
        return self.disconnected

    def at_hand(self) -> bytes | None:
        if self.more_body or self.disconnected or self._expects_continue:
            return None
        whole, self.body = bytes(self.body), bytearray()
        return whole

    def answer(self, status: int, headers: Headers, body: bytes) -> Awaitable[None] | None:
        self._begin(status, headers)
        if self._flow.write_paused and not self.disconnected:
            return self.send(body, is_last=True)
        self._write(body, is_last=True)
        return None

    async def start(self, status: int, headers: Headers) -> None:
        self._begin(status, headers)

    def _begin(self, status: int, headers: Headers) -> None:
        """The head of an answer, and how the end of its body is told (RFC 9112, section 6.3)."""
        told = dict(headers)
        self._has_body = self.method != "HEAD" and status not in BODILESS
        length = told.get(b"content-length") if self._has_body else b"0"
        more = None if length is not None else self._without_length()
        self._left = int(length) if length is not None else None
        if b"connection" in told:
            self.keep_alive = False
        elif not self.keep_alive:
            more = [*(more or ()), (b"connection", b"close")]
        self._head = head_of(STATUS_LINE[status], [*headers, *more] if more else headers)
        self.response_started = True

    def _without_length(self) -> Headers | None:
        # An older client knows no chunks: to it the body ends with the connection.
        self._is_chunked = not self._is_older
        return [(b"transfer-encoding", b"chunked")] if self._is_chunked else None

    async def send(self, chunk: bytes, *, is_last: bool) -> None:
        if self._flow.write_paused and not self.disconnected:
            await self._flow.drain()
        self._write(chunk, is_last=is_last)

    def _write(self, chunk: bytes, *, is_last: bool) -> None:
        """Head, if it has not gone, and chunk. Raises: RuntimeError, as `_count`."""
        if self.disconnected:
            return
        head, self._head = self._head, b""
        if self._has_body and not self._is_chunked:
            self._count(chunk, is_last=is_last)
            self._transport.writelines((head, chunk))
        elif self._has_body:
            self._transport.writelines((head, *_chunked(chunk, is_last=is_last)))
        else:
            self._transport.write(head)
        if is_last:
            self._finish()

    def _count(self, chunk: bytes, *, is_last: bool) -> None:
        """Raises: RuntimeError, when the body is not as long as its head told."""
        if self._left is not None:
            self._left -= len(chunk)
            if self._left < 0 or (is_last and self._left):
                msg = "the answer has another length than its head told"
                raise RuntimeError(msg)

    def _finish(self) -> None:
        self.response_complete = True
        if not self.keep_alive:
            self._transport.close()
        self._connection.on_response_complete()

    async def run_asgi(self, call: Call) -> None:
        """Called by uvicorn as if this were a request of ASGI."""
        try:
            await call(self)
        except BaseException as error:  # house: broad - the handler of the lane
            self._connection.logger.exception("a call broke off", exc_info=error)
        if not (self.response_complete or self.disconnected):
            self._break_off()

    def _break_off(self) -> None:
        """An answer without its end must not look whole."""
        if not self.response_started:
            self._transport.write(FAILED)
        if self._is_older:
            self._transport.abort()
        else:
            self._transport.close()


def _chunked(chunk: bytes, *, is_last: bool) -> list[bytes]:
    framed = [b"%x\r\n" % len(chunk), chunk, b"\r\n"] if chunk else []
    return [*framed, b"0\r\n\r\n"] if is_last else framed
