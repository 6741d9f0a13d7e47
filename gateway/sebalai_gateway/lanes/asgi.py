"""The way in over ASGI: one scope with its two callables, as a consumer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.types import Receive, Scope, Send

from sebalai_gateway.admission.proxy import Certificate, certificate_of
from sebalai_gateway.calls.consumer import ClientGone, Consumer, Headers


class AsgiConsumer:
    """`close` at the end."""

    certificate: Certificate | None

    __slots__ = (
        "_is_over", "_receive", "_send", "_watch", "address", "certificate", "headers", "method",
        "query", "raw_path",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.raw_path: bytes = scope["raw_path"]
        self.query: bytes = scope["query_string"]
        self.headers: Headers = scope["headers"]
        self.address: str = scope["client"][0]
        self.certificate = certificate_of(scope)
        self._receive, self._send, self._is_over = receive, send, False
        self._watch: asyncio.Task[None] | None = None

    async def read(self) -> bytes:
        while not self._is_over:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            self._is_over = not message.get("more_body", False)
            chunk: bytes = message.get("body", b"")
            if chunk:
                return chunk
        return b""

    @property
    def has_left(self) -> bool:
        # ASGI tells it only to who waits for it.
        if self._watch is None:
            self._watch = asyncio.create_task(self._until_left())
        return self._watch.done()

    async def _until_left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def at_hand(self) -> bytes | None:
        # ASGI gives nothing without a wait.
        return None

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        await self.start(status, headers)
        await self.send(body, is_last=True)

    async def start(self, status: int, headers: Headers) -> None:
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def send(self, chunk: bytes, *, is_last: bool) -> None:
        if is_last:
            self.close()
        await self._send({"type": "http.response.body", "body": chunk, "more_body": not is_last})

    def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()


async def over_asgi(
    calls: Callable[[Consumer], Awaitable[None]], scope: Scope, receive: Receive, send: Send
) -> None:
    """One request of ASGI as one call."""
    consumer = AsgiConsumer(scope, receive, send)
    try:
        await calls(consumer)
    finally:
        consumer.close()
