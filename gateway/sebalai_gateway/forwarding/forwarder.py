"""The seam to providers: sends one request, streams both ways, and knows no word of the bus.

Narrow on purpose (ADR 0004): an own connection pool can stand behind it later. Today aiohttp does:
no redirects, no cookies, no decompression, no proxy from the environment, keep-alive pools, and an
address check at connect time.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from multidict import CIMultiDict
from sebalai_shared.addresses import AddressRefused, Reach
from yarl import URL

CONNECTIONS_LIMIT = 2_048
CONNECTIONS_A_HOST = 512
KEEP_ALIVE_SECONDS = 30.0
READ_BUFFER_BYTES = 256 * 1024

Headers = list[tuple[bytes, bytes]]


class ProviderUnreachable(Exception):
    """No connection, or it broke before the answer was complete. `is_unsent`: nothing was sent."""

    def __init__(self, why: str = "", *, is_unsent: bool = False) -> None:
        super().__init__(why)
        self.is_unsent = is_unsent


class ProviderTimeout(Exception):
    """Connecting or reading took longer than the interface allows; `is_unsent`: connecting did."""

    def __init__(self, *, is_unsent: bool = False) -> None:
        super().__init__()
        self.is_unsent = is_unsent


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The whole exchange is bounded by who asks for it, because its other side may stall too."""

    connect_seconds: float
    read_seconds: float


class Answer:
    """An upstream answer: its head is here, its body still flows. `close` in every case."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Headers = list(response.raw_headers)

    @property
    def is_endless(self) -> bool:
        """Whether it is a stream of events, which has no end to journal."""
        return self._response.content_type == "text/event-stream"

    async def chunks(self) -> AsyncIterator[bytes]:
        """Raises: ProviderUnreachable, ProviderTimeout."""
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except TimeoutError as error:
            raise ProviderTimeout from error
        except (aiohttp.ClientError, OSError) as error:
            raise ProviderUnreachable(str(error)) from error

    def close(self, *, is_complete: bool) -> None:
        """Returns the connection to the pool when the body was read whole, else cuts it."""
        if is_complete:
            self._response.release()
        else:
            self._response.close()


class CheckedResolver(AbstractResolver):
    """Resolves and checks each address; the connection goes to the address that was checked."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._inner = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for entry in found:
            self._reach.check(host, entry["host"])
        return found

    async def close(self) -> None:
        await self._inner.close()


class Forwarder:
    """One a process; `close` at the end."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=CONNECTIONS_LIMIT,
                limit_per_host=CONNECTIONS_A_HOST,
                keepalive_timeout=KEEP_ALIVE_SECONDS,
                resolver=CheckedResolver(reach),
                use_dns_cache=False,
            ),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            read_bufsize=READ_BUFFER_BYTES,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )
        # By itself it repeats PUT and DELETE when a connection breaks: what may be sent again is
        # the caller's to decide (there is no public switch; a test holds it).
        self._session._retry_connection = False  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    async def close(self) -> None:
        await self._session.close()

    async def send(
        self,
        method: str,
        url: str,
        headers: Headers,
        body: AsyncIterator[bytes] | None,
        timeouts: Timeouts,
    ) -> Answer:
        """Sends and waits for the answer's head. `url` is forwarded as it is, never re-encoded.

        Raises: ProviderUnreachable, ProviderTimeout.
        """
        target = URL(url, encoded=True)
        try:
            self._check_literal(target)
            response = await self._session.request(
                method,
                target,
                headers=_multidict(headers),
                data=body,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=None,
                    sock_connect=timeouts.connect_seconds,
                    sock_read=timeouts.read_seconds,
                ),
            )
        except TimeoutError as error:
            is_unsent = isinstance(error, aiohttp.ConnectionTimeoutError)
            raise ProviderTimeout(is_unsent=is_unsent) from error
        except (aiohttp.ClientError, OSError, AddressRefused) as error:
            is_unsent = isinstance(error, (aiohttp.ClientConnectorError, AddressRefused))
            raise ProviderUnreachable(str(error), is_unsent=is_unsent) from error
        return Answer(response)

    def _check_literal(self, target: URL) -> None:
        # aiohttp asks no resolver about a literal address.
        host = target.host or ""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return
        self._reach.check(host, host)


def _multidict(headers: Headers) -> CIMultiDict[str]:
    pairs: Any = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
    return CIMultiDict(pairs)
