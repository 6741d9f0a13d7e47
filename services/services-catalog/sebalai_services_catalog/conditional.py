"""Reads that a telephone on a weak line need not load twice: ETag and 304 (RFC 9110, 13.1.2)."""

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from sebalai_services_catalog.kept import Answer, KeptAnswers

TAG_HEX = 32
NO_CACHE = "no-cache"
"""May be kept, and is asked for again each time."""

_REPLACED = ("content-length", "etag")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Conditional(APIRoute):
    """Gives each 200 of a GET its ETag, and 304 without a body to who has it already.

    Only for what everybody sees alike: whoever asks may keep the answer, and asks again each time
    whether it still holds. Here it is kept for a moment (`KeptAnswers`).
    """

    cache_control = NO_CACHE

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def conditional(request: Request) -> Response:
            kept: KeptAnswers = request.app.state.kept_answers
            answer = kept.find(request)
            if answer is None:
                response = await handler(request)
                if request.method != "GET" or response.status_code != 200:
                    return response
                answer = self._answer(request, response)
                kept.keep(request, answer)
            if _has(request.headers.get("if-none-match", ""), answer.tag):
                headers = {"ETag": answer.tag, "Cache-Control": self.cache_control}
                return Response(status_code=304, headers=headers)
            return answer.response()

        return conditional

    def _answer(self, request: Request, response: Response) -> Answer:
        body = self.body_of(request, bytes(response.body))
        tag = response.headers.get("etag") or _tag(body)
        own = {name: value for name, value in response.headers.items() if name not in _REPLACED}
        return Answer(tag, body, own | {"ETag": tag, "Cache-Control": self.cache_control})

    def body_of(self, request: Request, body: bytes) -> bytes:  # noqa: ARG002 - for who cuts it
        """What is answered of a whole body."""
        return body


def _tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:TAG_HEX]}"'


def _has(known: str, tag: str) -> bool:
    """Weak comparison, as If-None-Match asks for."""
    tags = [one.strip().removeprefix("W/") for one in known.split(",")]
    return tag in tags or tags == ["*"]
