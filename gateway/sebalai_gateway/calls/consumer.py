"""One call as its consumer's connection shows it: all that the call path knows of a connection.

Each way into the gateway is one small class of this shape (`asgi`, the fast lane), so that one call
path serves them all.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from sebalai_gateway.admission.proxy import Certificate
from sebalai_gateway.refusals import Refusal, written

Headers = list[tuple[bytes, bytes]]


class ClientGone(Exception):
    """The consumer closed its connection before the call was over."""


class Consumer(Protocol):
    """The head of the request as it came (names of headers in lower case), what the connection
    proves, and the two streams.
    """

    method: str
    raw_path: bytes
    query: bytes
    headers: Headers
    address: str
    certificate: Certificate | None

    async def read(self) -> bytes:
        """The next bytes of the body, none at its end. Raises: ClientGone."""
        ...

    @property
    def has_left(self) -> bool:
        """Whether the consumer is known to have gone; to be asked once the body is over."""
        ...

    def at_hand(self) -> bytes | None:
        """All of the body, if it has come and nothing of it was read; it is not given again."""
        ...

    def answer(self, status: int, headers: Headers, body: bytes) -> Awaitable[None] | None:
        """A whole answer. None, when nothing is to be waited for."""
        ...

    async def start(self, status: int, headers: Headers) -> None:
        """Begins the answer; its head may wait for the first `send`."""
        ...

    async def send(self, chunk: bytes, *, is_last: bool) -> None:
        """Waits for room. What a consumer who has left is sent is lost without a word."""
        ...


async def tell(consumer: Consumer, refusal: Refusal) -> None:
    """Answers what never became a call."""
    rest = consumer.answer(refusal.status, *written(refusal))
    if rest is not None:
        await rest
