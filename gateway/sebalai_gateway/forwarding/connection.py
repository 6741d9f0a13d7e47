"""One connection to a provider: one exchange at a time, bounded both ways.

A connection on which anything was odd is never used again: a broken answer, bytes nobody asked for,
a body not sent to its end, an answer before it was. Does not own where it leads or who has it next
(`pool`), nor how an answer is read (`framing`).
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from typing import Protocol, cast

from sebalai_gateway.forwarding.faults import BadFraming, ProviderTimeout, ProviderUnreachable
from sebalai_gateway.forwarding.framing import AnswerReader
from sebalai_gateway.forwarding.tls import refused

READ_BUFFER_BYTES = 256 * 1024
KEEP_ALIVE_SECONDS = 30.0
# What a provider promises ends on its side a little earlier than on ours.
KEEP_ALIVE_MARGIN_SECONDS = 1.0


class Keeper(Protocol):
    """Who has a connection when no exchange does."""

    def take_back(self, connection: Connection) -> None:
        """Its exchange is over; calls `finish`."""
        ...

    def lost(self, connection: Connection) -> None:
        """It is no more."""
        ...


class Connection(asyncio.Protocol):
    """`is_idle` between two exchanges; `touched` is when something last moved (monotonic)."""

    def __init__(self, keeper: Keeper) -> None:
        # Kept, because asking for it is a system call before Python 3.12.
        self._keeper, self._loop = keeper, asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader: AnswerReader | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._pump: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._is_full = self._is_paused = self._is_sent = False
        self._waits_for_us = False
        self.is_open = False
        self.is_fresh = True
        self.touched = time.monotonic()
        self.read_seconds = 0.0
        self.idle_seconds = KEEP_ALIVE_SECONDS

    # Called by the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport is none of asyncio's classes.
        self._transport, self.is_open = cast("asyncio.Transport", transport), True

    def data_received(self, data: bytes) -> None:
        self.touched = time.monotonic()
        reader = self._reader
        if reader is None:
            # Nobody asked: the next answer would not be the next question's.
            self.abort()
            return
        try:
            reader.feed(data)
        except BadFraming as error:
            self._fail(error)
            return
        if reader.held >= READ_BUFFER_BYTES and self._transport and not reader.is_whole:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        reader = self._reader
        if reader is not None and not reader.end():
            self._fail(ProviderUnreachable("the provider closed before its answer was whole"))
        self.is_open = False
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        reader = self._reader
        if reader is not None and not reader.is_whole:
            if isinstance(exc, ssl.SSLError):
                self._fail(refused(exc, is_unsent=False))
            self._fail(ProviderUnreachable(str(exc or "the connection was lost")))
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._wake()
        self._keeper.lost(self)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self.touched, self._is_full = time.monotonic(), False
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    # Called by the seam.

    @property
    def is_idle(self) -> bool:
        return self._reader is None

    def is_stale(self, now: float) -> bool:
        """Whether nothing moved for longer than the other side may be thought to wait."""
        return now - self.touched > self.idle_seconds

    def is_late(self, now: float) -> bool:
        """Whether the provider has kept us waiting for longer than the interface allows."""
        reader = self._reader
        if reader is None or reader.is_whole or self._is_paused or self._waits_for_us:
            return False
        return now - self.touched > self.read_seconds

    def give_up(self) -> None:
        """Ends an exchange that took too long."""
        self._fail(ProviderTimeout())

    def begin(self, head: bytes, *, is_head_answer: bool, read_seconds: float) -> AnswerReader:
        """Sends the head of a request, or all of it. What reads the answer."""
        reader = self._reader = AnswerReader(is_head_answer=is_head_answer)
        self._failure, self._is_sent, self.read_seconds = None, True, read_seconds
        self.touched = time.monotonic()
        self._write(head)
        return reader

    def send_body(self, body: AsyncIterator[bytes], length: int | None) -> None:
        """Sends the body beside whatever comes back; `length` as its head told it, else chunked.

        What `body` raises breaks the exchange off.
        """
        self._is_sent = False
        self._pump = asyncio.create_task(self._send_body(body, length))
        self._pump.add_done_callback(self._pumped)

    async def read(self) -> bytes:
        """What has come of the body, nothing at its end. Raises: ProviderUnreachable,
        ProviderTimeout.
        """
        reader = self._reader
        assert reader is not None  # noqa: S101 - `begin` came before
        while not (reader.held or reader.is_whole):
            await self.moved()
            self.check()
        if not reader.held:
            return b""
        if self._is_paused:
            self._resume()
        return reader.take()

    def give_back(self) -> None:
        """Ends the exchange, whichever way it went."""
        self._keeper.take_back(self)

    def finish(self) -> bool:
        """Ends the exchange. Whether another may follow; else the connection is closed."""
        reader, self._reader = self._reader, None
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None
        is_good = self.is_open and self._is_sent and reader is not None and reader.is_reusable
        if is_good and reader is not None and self._transport and _is_clear(self._transport):
            if reader.idle_seconds is not None:
                told = reader.idle_seconds - KEEP_ALIVE_MARGIN_SECONDS
                self.idle_seconds = min(KEEP_ALIVE_SECONDS, told)
            self.touched, self.is_fresh = time.monotonic(), False
            if self._is_paused:
                self._resume()
            return True
        self.abort()
        return False

    def abort(self) -> None:
        """Cuts the connection, whatever was under way."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    async def _send_body(self, body: AsyncIterator[bytes], length: int | None) -> None:
        """Raises: BadFraming, and what the body raises."""
        left = length
        async for chunk in self._watched(body):
            if left is None:
                self._write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            else:
                left -= len(chunk)
                if left < 0:
                    raise BadFraming("the body is longer than its head told")
                self._write(chunk)
            await self._drain()
            if not self.is_open:
                return
        if left:
            raise BadFraming("the body is shorter than its head told")
        if left is None:
            self._write(b"0\r\n\r\n")
        self._is_sent, self.touched = True, time.monotonic()

    def _pumped(self, pump: asyncio.Task[None]) -> None:
        """What broke the body off breaks the exchange off, if it is still the same one."""
        error = None if pump.cancelled() else pump.exception()
        if error is not None and pump is self._pump:
            failure = ProviderUnreachable("the body broke off")
            failure.__cause__ = error
            self._fail(failure)

    async def _watched(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The body's chunks; while one is awaited it is not the provider who keeps us waiting."""
        self._waits_for_us = True
        try:
            async for chunk in body:
                self._waits_for_us, self.touched = False, time.monotonic()
                if chunk:
                    yield chunk
                self._waits_for_us = True
        finally:
            self._waits_for_us = False

    async def _drain(self) -> None:
        while self._is_full and self.is_open:
            self._room = self._loop.create_future()
            await self._room

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def moved(self) -> asyncio.Future[None]:
        """Done when something has come; `check` then. Raises: ProviderUnreachable,
        ProviderTimeout, where the exchange is broken already.
        """
        if self._failure is not None:
            raise self._failure
        self._waiter = self._loop.create_future()
        return self._waiter

    def check(self) -> None:
        """Raises what broke the exchange; what came before it broke is still given out."""
        reader = self._reader
        if self._failure is not None and not (reader and (reader.held or reader.is_whole)):
            raise self._failure

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _resume(self) -> None:
        if self._is_paused and self._transport is not None:
            self._is_paused, self.touched = False, time.monotonic()
            self._transport.resume_reading()

    def _fail(self, failure: Exception) -> None:
        if self._failure is None:
            self._failure = failure
        self.abort()
        self._wake()


def _is_clear(transport: asyncio.Transport) -> bool:
    """Whether all that was written has gone; what is left of a body that was answered before its
    end would else be read as the beginning of the next request. Under TLS what its layer has handed
    on is not seen.
    """
    return not (transport.is_closing() or transport.get_write_buffer_size())
