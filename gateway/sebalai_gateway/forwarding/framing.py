"""Reads one answer of HTTP/1.1, in the one way it can be read (RFC 9112, section 6.3).

llhttp (through httptools, strict) refuses broken lines, lengths and chunks. What it lets pass and
is refused here: any transfer coding but `chunked`, one in HTTP/1.0, other versions and protocols,
heads and trailers without an end, interim answers without an end, a switch of protocols. One parser
reads one answer and is thrown away. Does not own the connection (`connection`).
"""

from __future__ import annotations

import httptools

from sebalai_gateway.forwarding.faults import BadFraming
from sebalai_gateway.forwarding.glance import glance

HEAD_BYTES_LIMIT = 64 * 1024
HEADERS_LIMIT = 256
INTERIM_LIMIT = 8
_START, _EVENTS = b"HTTP/1.", b"text/event-stream"
_FINAL, _LOWEST, _HIGHEST, _SWITCHING = 200, 100, 599, 101
_NO_BODY = frozenset({204, 304})
_FRAMING = frozenset(
    {b"content-length", b"transfer-encoding", b"connection", b"content-type", b"keep-alive"}
)


class AnswerReader:
    """`feed` bytes; `has_head`, `is_whole` and `take()` tell what has come. Raises: BadFraming.

    `is_reusable`: another request may follow on the connection, as far as this answer says; only
    true when the answer is whole and nothing came after it. `idle_seconds`: for how long the
    provider says it keeps the connection, if it does. `is_endless`: it is a stream of events.
    """

    has_head = is_whole = has_extra = is_endless = False
    status = held = 0
    idle_seconds: float | None = None
    _start = b""
    _head_bytes = _interim = _after_head = 0
    _closes = _is_older = _to_eof = False

    _parser: httptools.HttpResponseParser | None = None

    def __init__(self, *, is_head_answer: bool) -> None:
        self._is_head_answer = is_head_answer
        self._chunks: list[bytes] = []
        # Names in lower case; `_framing` is what of them is read here.
        self.headers: list[tuple[bytes, bytes]] = []
        self._framing: list[tuple[bytes, bytes]] = []

    @property
    def has_begun(self) -> bool:
        """Whether any byte has come."""
        return bool(self._start)

    @property
    def is_reusable(self) -> bool:
        return self.is_whole and not (
            self.has_extra or self._closes or self._is_older or self._to_eof
        )

    def feed(self, data: bytes) -> None:
        if self.is_whole:
            self.has_extra = True
            return
        if self._parser is None:
            if not self._is_head_answer and self._glance(data):
                return
            self._parser = httptools.HttpResponseParser(self)
        self._read(data, self._parser)

    def _glance(self, data: bytes) -> bool:
        """Whether that was all there is."""
        found = glance(data)
        if found is None:
            return False
        self.status, self.headers, body = found
        self._start, self.has_head, self.is_whole = _START, True, True
        if body:
            self._chunks, self.held = [body], len(body)
        return True

    def _read(self, data: bytes, parser: httptools.HttpResponseParser) -> None:
        if self._start != _START:
            self._check_start(data)
        if not self.has_head:
            self._head_bytes += len(data)
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise BadFraming("protocols are not switched here") from None
        except httptools.HttpParserError as error:
            # What the callbacks below raise comes as its context.
            cause = error.__context__
            if isinstance(cause, BadFraming):
                raise cause from None
            if not self.is_whole:
                raise BadFraming(str(error)) from None
            self.has_extra = True
        if not self.has_head and self._head_bytes > HEAD_BYTES_LIMIT:
            raise BadFraming("the head of the answer has no end")
        if self.is_whole:
            # Each holds the other: apart, both die at once and wait for no collection.
            self._parser = None

    def _check_start(self, data: bytes) -> None:
        self._start += data[: len(_START) - len(self._start)]
        if not _START.startswith(self._start):
            raise BadFraming("the answer does not begin as one of HTTP/1")

    def end(self) -> bool:
        """The provider closed its side. Whether that ends the answer."""
        if self._to_eof and self.has_head:
            self.is_whole = True
        return self.is_whole

    def take(self) -> bytes:
        """What of the body has come since the last time."""
        chunks, self._chunks, self.held = self._chunks, [], 0
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    # Called by the parser.

    def on_message_begin(self) -> None:
        if self.is_whole:
            self.has_extra = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.has_head:
            # A trailer, which ends here, or the head of something nobody asked for.
            self._after_head += len(name) + len(value)
            if self._after_head > HEAD_BYTES_LIMIT:
                raise BadFraming("the trailers of the answer have no end")
            return
        if len(self.headers) >= HEADERS_LIMIT:
            raise BadFraming("the answer has too many headers")
        pair = name.lower(), value
        self.headers.append(pair)
        if pair[0] in _FRAMING:
            self._framing.append(pair)

    def on_headers_complete(self) -> None:
        parser = self._parser
        if self.has_head or parser is None:
            return
        status, version = parser.get_status_code(), parser.get_http_version()
        if not _LOWEST <= status <= _HIGHEST or version not in {"1.0", "1.1"}:
            raise BadFraming("the answer's first line is none of HTTP/1")
        if status < _FINAL:
            self._interim += 1
            if status == _SWITCHING or self._interim > INTERIM_LIMIT:
                raise BadFraming("the provider answers 1xx without an end")
            self.headers, self._framing = [], []
            return
        self.status, self._is_older = status, version == "1.0"
        has_length, is_chunked = self._read_headers()
        self.has_head = True
        if self._is_head_answer or status in _NO_BODY:
            # Whatever its head says of a body, none comes (RFC 9110, section 6.4.1).
            self.is_whole = True
        self._to_eof = not (self.is_whole or has_length or is_chunked)

    def on_body(self, chunk: bytes) -> None:
        if self.is_whole:
            self.has_extra = True
            return
        self._chunks.append(chunk)
        self.held += len(chunk)

    def on_message_complete(self) -> None:
        # Of an interim answer, too.
        self.is_whole = self.has_head

    def _read_headers(self) -> tuple[bool, bool]:
        """Whether the head tells a length, and whether it says `chunked`."""
        has_length = is_chunked = False
        for name, value in self._framing:
            match name:
                case b"content-length":
                    has_length = True
                case b"transfer-encoding":
                    if is_chunked or value.strip().lower() != b"chunked" or self._is_older:
                        raise BadFraming("the only transfer coding taken here is chunked")
                    is_chunked = True
                case b"connection":
                    self._closes |= b"close" in value.lower()
                case b"content-type":
                    self.is_endless |= value.split(b";")[0].strip().lower() == _EVENTS
                case b"keep-alive":
                    self.idle_seconds = _timeout(value)
                case _:
                    pass
        if has_length and is_chunked:
            raise BadFraming("the answer has a length and is chunked")
        return has_length, is_chunked


def _timeout(value: bytes) -> float | None:
    """`timeout=5` of a Keep-Alive header (RFC 2068, section 19.7.1.1), in seconds."""
    for part in value.lower().split(b","):
        name, _, number = part.strip().partition(b"=")
        if name == b"timeout" and number.isdigit():
            return float(number[:6])
    return None
