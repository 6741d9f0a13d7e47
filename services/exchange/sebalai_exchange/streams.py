"""Server-sent events to a listener that was counted in, and is counted out whatever happens."""

import asyncio
import logging
from collections.abc import AsyncIterable, Callable
from typing import Any

from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

log = logging.getLogger(__name__)

SEND_SECONDS = 10.0
"""A listener who takes nothing for so long is counted out; it comes anew from where it was."""
LOOKS = 4
"""How often in that time it is looked at."""

MEDIA_TYPE = "text/event-stream"
ENDLESS: dict[int | str, dict[str, Any]] = {200: {"content": {MEDIA_TYPE: {}}}}
"""OpenAPI `responses` of a route that tells events until its listener goes."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class CountedStream(StreamingResponse):
    """`leave` is called at the end, also when the client was gone before the first chunk: then
    the generator never begins, and nothing that stands in it runs. And when it stops reading: who
    waits to send to it would see neither the end of its right nor of its time.
    """

    def __init__(self, chunks: AsyncIterable[bytes], leave: Callable[[], None]) -> None:
        super().__init__(chunks, media_type=MEDIA_TYPE, headers=HEADERS)
        self._leave, self._sends_since = leave, float("inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        clock = asyncio.get_running_loop().time

        async def send_watched(message: Message) -> None:
            self._sends_since = clock()
            await send(message)
            self._sends_since = float("inf")

        try:
            async with asyncio.timeout(None) as limit:
                self._look(limit)
                await super().__call__(scope, receive, send_watched)
        except (TimeoutError, ClientDisconnect):  # the latter is what starlette makes of it
            log.info("a listener stopped reading and was counted out")
        finally:
            self._watch.cancel()
            self._leave()

    def _look(self, limit: asyncio.Timeout) -> None:
        """Now and then: a timer for each message would cost more than the message."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._sends_since >= SEND_SECONDS:
            limit.reschedule(loop.time())
        else:
            self._watch = loop.call_later(SEND_SECONDS / LOOKS, self._look, limit)
