"""The client of one webhook: its connections, each made to an address that was checked.

Why not the shared client: at ten posts an event its price was the dispatcher's whole processor
(ADR 0025). Redirects are for the caller to see, and nothing stands between the two: no proxy.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

from sebalai_shared import http
from sebalai_shared.addresses import AddressRefused, Reach

from sebalai_exchange.deliveries.connection import Answer, ClosedUnused, Connection, Unanswered

CONNECT_SECONDS = 3.0
IDLE_SECONDS = 5.0
# An address that answers without an end fills no more than this before the connection is closed.
RECEIVE_BUFFER_BYTES = 16 * 1024


class Client:
    """Keeps as many connections as were in use at once, for IDLE_SECONDS."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._url, self._target = "", http.Target("", "", 0, "", "")
        self._free: list[Connection] = []
        self._sweep: asyncio.TimerHandle | None = None

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """Raises: Unanswered. A request may arrive twice: what is posted carries its own id."""
        self._aim(url)
        request = self._head(method, headers, len(body)) + body
        while (used := self._take()) is not None:
            with contextlib.suppress(ClosedUnused):
                return await self._ask_on(used, request)
        return await self._ask_on(await self._connect(), request)

    def close(self) -> None:
        for one in self._free:
            one.abort()
        self._free.clear()
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

    def _aim(self, url: str) -> None:
        if url != self._url:
            self.close()
            try:
                self._url, self._target = url, http.target(url)
            except http.AddressInvalid as error:
                raise Unanswered(str(error)) from error

    def _head(self, method: str, headers: Mapping[str, str], length: int) -> bytes:
        told = {"host": self._target.authority, **headers, "content-length": str(length)}
        lines = [f"{method} {self._target.path} HTTP/1.1", *(f"{k}: {v}" for k, v in told.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")

    async def _ask_on(self, connection: Connection, request: bytes) -> Answer:
        answer = await connection.ask(request)
        if connection.is_free:
            self._free.append(connection)
            if self._sweep is None:
                loop = asyncio.get_running_loop()
                self._sweep = loop.call_later(IDLE_SECONDS, self._close_idle)
        return answer

    def _take(self) -> Connection | None:
        """The one used last, so that those too many grow old."""
        oldest = asyncio.get_running_loop().time() - IDLE_SECONDS
        while self._free:
            one = self._free.pop()
            if one.is_free and one.freed_at >= oldest:
                return one
            one.abort()
        return None

    def _close_idle(self) -> None:
        loop = asyncio.get_running_loop()
        oldest = loop.time() - IDLE_SECONDS
        for one in self._free:
            if one.freed_at <= oldest:
                one.abort()
        self._free = [one for one in self._free if one.is_free]
        first = min((one.freed_at for one in self._free), default=None)
        self._sweep = None
        if first is not None:
            self._sweep = loop.call_at(first + IDLE_SECONDS, self._close_idle)

    async def _connect(self) -> Connection:
        """Resolves once, checks each address, connects to the first checked one that answers.
        Raises: Unanswered.
        """
        loop, to = asyncio.get_running_loop(), self._target
        try:
            found = await loop.getaddrinfo(to.host, to.port, type=socket.SOCK_STREAM)
            for entry in found:
                self._reach.check(to.host, str(entry[4][0]))
        except (OSError, UnicodeError) as error:
            raise Unanswered(f"{to.host} cannot be resolved") from error
        except AddressRefused as error:
            raise Unanswered(str(error)) from error
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await self._open_any([(entry[0], entry[4]) for entry in found])
        except TimeoutError:
            raise Unanswered(f"no connection within {CONNECT_SECONDS:.0f} s") from None
        except ssl.SSLError as error:
            raise Unanswered(_untrusted(error)) from error
        except OSError as error:
            raise Unanswered(f"no connection: {error.strerror or 'refused'}") from error

    async def _open_any(self, addresses: Sequence[tuple[int, Any]]) -> Connection:
        """A name may stand for an address that nobody listens at: `localhost` is often `::1`."""
        for family, address in addresses[:-1]:
            with contextlib.suppress(OSError):
                return await self._open(family, address)
        return await self._open(*addresses[-1])

    async def _open(self, family: int, address: Any) -> Connection:
        loop, context = asyncio.get_running_loop(), None
        plain = socket.socket(family, socket.SOCK_STREAM)
        with contextlib.ExitStack() as failed:
            failed.callback(plain.close)
            plain.setblocking(False)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            await loop.sock_connect(plain, address)
            failed.pop_all()
        if self._target.scheme == "https":
            context = http.trust()
        _, connection = await loop.create_connection(
            Connection, sock=plain, ssl=context,
            server_hostname=self._target.host if context else None,
        )  # fmt: skip
        return connection


def _untrusted(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    return f"TLS failed: {error.reason or 'no reason told'}"
