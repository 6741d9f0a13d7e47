"""Outbound HTTP outside the call path: one shared client a process, with timeouts, an address
check at every connect, no redirects, and the running trace.

httpx is imported here and nowhere else. A client per request costs 53 ms of CPU; make one.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple, cast

import anyio
import httpcore
import httpx

from sebalai_shared.addresses import AddressRefused, Reach
from sebalai_shared.telemetry import current_trace

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
POOL_SECONDS = 3.0
CONNECTIONS_LIMIT = 50
ANSWER_BYTES_LIMIT = 4 * 1024 * 1024
# httpcore imports sniffio at every lock it makes. A name that is known to be missing is not looked
# for in every folder of the path again: that was a quarter of a dispatcher's processor.
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # pyright: ignore[reportArgumentType]
trust = cache(httpx.create_ssl_context)  # one for all clients: reading the roots costs 25 ms

Response = httpx.Response
Error = httpx.HTTPError
Timeout = httpx.TimeoutException


class AnswerTooLarge(httpx.HTTPError):
    """The answer exceeds what this caller is willing to hold."""


class AddressInvalid(httpx.TransportError):
    """What was named is no address that could be called."""


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Resolves once, checks each address, connects to the first checked one that answers."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved") from error
        addresses = [str(entry[4][0]) for entry in found]
        try:
            for address in addresses:
                self._reach.check(host, address)
        except AddressRefused as error:
            raise httpcore.ConnectError(str(error)) from error
        options = (port, timeout, local_address, socket_options)
        for address in addresses[:-1]:  # `localhost` is often `::1`, where nobody listens
            with contextlib.suppress(httpcore.ConnectError):
                return await self._inner.connect_tcp(address, *options)
        return await self._inner.connect_tcp(addresses[-1], *options)

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


class _Transport(httpx.AsyncHTTPTransport):
    def __init__(self, reach: Reach) -> None:
        self._pool = httpcore.AsyncConnectionPool(  # all that the base class would make
            ssl_context=trust(),
            max_connections=CONNECTIONS_LIMIT,
            network_backend=_CheckedBackend(reach),
        )


async def _join_trace(request: httpx.Request) -> None:
    trace = current_trace()
    if trace is not None:
        request.headers.setdefault("traceparent", trace.traceparent)


def is_address(url: str) -> bool:
    """Whether a client could call it; where it leads and who answers is not asked."""
    try:
        found = httpx.URL(url)
        return bool(found.host) and _has_port(found)
    except (httpx.InvalidURL, UnicodeError):
        return False


def _has_port(url: httpx.URL) -> bool:
    return url.port is None or 0 < url.port < 65_536


class Target(NamedTuple):
    """Where a request goes; `authority` is what the Host header says, all of it in ASCII."""

    scheme: str
    host: str
    port: int
    path: str
    authority: str


def target(url: str) -> Target:
    """For a client of its own connections. Raises: AddressInvalid."""
    if not is_address(url):
        raise AddressInvalid("what is named is no address that could be called")
    found = httpx.URL(url)
    port = found.port or (443 if found.scheme == "https" else 80)
    return Target(
        found.scheme, found.raw_host.decode(), port, found.raw_path.decode(), found.netloc.decode()
    )


def client(reach: Reach, *, base_url: str = "", read_seconds: float = READ_SECONDS) -> Client:
    """The process's client for targets within `reach`; close it at the end."""
    return Client(
        base_url=base_url,
        transport=_Transport(reach),
        timeout=httpx.Timeout(read_seconds, connect=CONNECT_SECONDS, pool=POOL_SECONDS),
        follow_redirects=False,
        trust_env=False,
        event_hooks={"request": [_join_trace]},
    )


class Client(httpx.AsyncClient):
    def build_request(self, *args: Any, **options: Any) -> httpx.Request:
        """Raises: AddressInvalid, an Error like every failure: addresses of others are input."""
        try:
            request = super().build_request(*args, **options)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise AddressInvalid(str(error)) from error
        if not _has_port(request.url):
            raise AddressInvalid("a port lies between 1 and 65535")
        return request

    async def fetch(
        self, url: str, *, method: str = "GET", limit: int = ANSWER_BYTES_LIMIT, **options: Any
    ) -> Response:
        """With a bound on the answer's size. Raises: Error, AnswerTooLarge."""
        async with self.stream(method, url, **options) as answer:
            chunks: list[bytes] = []
            size = 0
            async for chunk in answer.aiter_bytes():
                size += len(chunk)
                if size > limit:
                    raise AnswerTooLarge(f"the answer of {answer.request.url.host} is too large")
                chunks.append(chunk)
            headers = [
                (name, value)
                for name, value in answer.headers.multi_items()
                if name.lower() not in ("content-encoding", "content-length", "transfer-encoding")
            ]
            return Response(
                answer.status_code,
                headers=headers,
                content=b"".join(chunks),
                request=answer.request,
            )
