"""The seam to providers: sends one request, streams both ways, and knows no word of the bus.

No redirects, no cookies, no decompression, no proxy from the environment; what is said is what was
asked for, byte by byte. The connections are our own (ADR 0014).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable

import msgspec
from sebalai_shared.addresses import Reach

from sebalai_gateway.forwarding.connection import Connection
from sebalai_gateway.forwarding.faults import ProviderTimeout, ProviderUnreachable
from sebalai_gateway.forwarding.framing import AnswerReader
from sebalai_gateway.forwarding.pool import Origin, Peer, Pool, origin_of
from sebalai_gateway.forwarding.tls import SYSTEM, Identity
from sebalai_gateway.lines import NotOneLine, head_of

__all__ = ["Answer", "Forwarder", "Headers", "Manner", "ProviderTimeout", "ProviderUnreachable"]

Headers = list[tuple[bytes, bytes]]
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_TARGET = re.compile(r"/[\x21-\x7e]*\Z")
_METHOD = re.compile(r"[A-Z]{1,32}\Z")
_USUAL = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def _nothing() -> None: ...


class Manner(msgspec.Struct, frozen=True):
    """How an exchange is had. As a whole it is bounded by who asks for it, because its other side
    may stall too.
    """

    connect_seconds: float
    read_seconds: float
    identity: Identity = SYSTEM


class Answer:
    """An upstream answer: its head is here (names in lower case), its body still flows. `close` in
    every case.
    """

    def __init__(self, connection: Connection, reader: AnswerReader) -> None:
        self._connection, self._reader = connection, reader
        self.status, self.headers = reader.status, reader.headers
        # A stream of events has no end to journal.
        self.is_endless = reader.is_endless
        self._is_closed = False

    @property
    def is_over(self) -> bool:
        """Whether `read` would give nothing more, without a wait."""
        return self._reader.is_whole and not self._reader.held

    def rest(self) -> bytes | None:
        """All that `read` would still give, if it has come; it is not given again."""
        return self._reader.take() if self._reader.is_whole else None

    async def read(self) -> bytes:
        """What has come of the body, nothing at its end. Raises: ProviderUnreachable,
        ProviderTimeout.
        """
        return await self._connection.read()

    def close(self, *, is_complete: bool) -> None:
        """Keeps the connection when the body was read whole, else cuts it."""
        if self._is_closed:
            return
        self._is_closed = True
        if not is_complete:
            self._connection.abort()
        self._connection.give_back()


class Forwarder:
    """One a process; `close` at the end."""

    def __init__(self, reach: Reach) -> None:
        self.pool = Pool(reach)

    async def close(self) -> None:
        await self.pool.close()

    async def send(
        self,
        method: str,
        url: str,
        headers: Headers,
        body: AsyncIterator[bytes] | bytes | None,
        manner: Manner,
        confirm: Callable[[], None] = _nothing,
    ) -> Answer:
        """Sends and waits for the answer's head. `url` is forwarded as it is, never re-encoded;
        a body in bytes is all of it, as long as the headers tell. `confirm` is called as the last
        thing before the first byte; if it raises, none goes.

        Raises: ProviderUnreachable, ProviderTimeout, and what `confirm` raises.
        """
        origin, target = _cut(url)
        length = None if method in SAFE and body is None else _length(headers)
        said = [(b"host", origin.authority), *headers]
        if length is None:
            said += _framing(method, has_body=body is not None)
        said = _head(method, target, said)
        peer, is_safe = Peer(origin, manner.identity), method in SAFE
        connection = self.pool.at_hand(peer, is_safe=is_safe) or await self.pool.take(
            peer, manner.connect_seconds, is_safe=is_safe
        )
        is_answered = False
        try:
            confirm()
            reader = connection.begin(
                said + body if isinstance(body, bytes) else said,
                is_head_answer=method == "HEAD",
                read_seconds=manner.read_seconds,
            )
            if body is not None and not isinstance(body, bytes):
                connection.send_body(body, length)
            while not reader.has_head:
                await connection.moved()
                connection.check()
            is_answered = True
        finally:
            if not is_answered:
                connection.abort()
                connection.give_back()
        return Answer(connection, reader)


def _cut(url: str) -> tuple[Origin, str]:
    start = url.find("://") + 3
    slash = url.find("/", start)
    base, target = (url, "/") if slash < 0 else (url[:slash], url[slash:])
    if not _TARGET.match(target):
        raise ProviderUnreachable("the target cannot be written in one way only", is_unsent=True)
    return origin_of(base), target


def _length(headers: Headers) -> int | None:
    told = dict(headers).get(b"content-length")
    return None if told is None else int(told)


def _framing(method: str, *, has_body: bool) -> Headers:
    """How the end of the body is told, where the headers do not tell it."""
    if has_body:
        return [(b"transfer-encoding", b"chunked")]
    return [] if method in _BODILESS else [(b"content-length", b"0")]


def _head(method: str, target: str, headers: Headers) -> bytes:
    """Raises: ProviderUnreachable, when it is not one head."""
    if method not in _USUAL and not _METHOD.match(method):
        raise ProviderUnreachable("the method is no word", is_unsent=True)
    try:
        return head_of(f"{method} {target} HTTP/1.1\r\n".encode(), headers)
    except NotOneLine as error:
        raise ProviderUnreachable(str(error), is_unsent=True) from None
