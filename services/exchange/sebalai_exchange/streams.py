"""Server-sent events to a listener that was counted in, and is counted out whatever happens."""

from collections.abc import AsyncIterable, Callable
from typing import Any

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

MEDIA_TYPE = "text/event-stream"
ENDLESS: dict[int | str, dict[str, Any]] = {200: {"content": {MEDIA_TYPE: {}}}}
"""OpenAPI `responses` of a route that tells events until its listener goes."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class CountedStream(StreamingResponse):
    """`leave` is called at the end, also when the client was gone before the first chunk: then
    the generator never begins, and nothing that stands in it runs.
    """

    def __init__(self, chunks: AsyncIterable[bytes], leave: Callable[[], None]) -> None:
        super().__init__(chunks, media_type=MEDIA_TYPE, headers=HEADERS)
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()
