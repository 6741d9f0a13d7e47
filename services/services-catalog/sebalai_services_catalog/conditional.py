"""Reads that a telephone on a weak line need not load twice: ETag and 304 (RFC 9110, 13.1.2)."""

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

TAG_HEX = 32

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Conditional(APIRoute):
    """Gives each 200 of a GET its ETag, and 304 without a body to who has it already.

    Only for what everybody sees alike: the answer may be kept, and is asked for again each time.
    """

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def conditional(request: Request) -> Response:
            response = await handler(request)
            if request.method != "GET" or response.status_code != 200:
                return response
            body = bytes(response.body)
            cut = self.body_of(request, body)
            if cut != body:
                response.body = cut
                response.headers["Content-Length"] = str(len(cut))
            tag = f'"{hashlib.sha256(response.body).hexdigest()[:TAG_HEX]}"'
            headers = {"ETag": tag, "Cache-Control": "no-cache"}
            if _has(request.headers.get("if-none-match", ""), tag):
                return Response(status_code=304, headers=headers)
            response.headers.update(headers)
            return response

        return conditional

    def body_of(self, request: Request, body: bytes) -> bytes:  # noqa: ARG002 - for who cuts it
        """What is answered of a whole body."""
        return body


def _has(known: str, tag: str) -> bool:
    """Weak comparison, as If-None-Match asks for."""
    tags = [one.strip().removeprefix("W/") for one in known.split(",")]
    return tag in tags or tags == ["*"]
