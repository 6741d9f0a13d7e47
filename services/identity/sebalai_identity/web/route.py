"""Routes that answer a person: expected failures become pages in their language, not problems in
JSON. Faults stay with the application's own handler.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sebalai_shared.problems import Problem

from sebalai_identity.web.pages import Pages
from sebalai_identity.web.texts import language_of

_KINDS = {403: "forged", 404: "missing", 429: "busy", 503: "busy"}
_ENDED = "interaction-unknown"


def pages_of(request: Request) -> Pages:
    made = request.app.state.pages
    assert isinstance(made, Pages)  # noqa: S101 - set when the application is made
    return made


class PageRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await answer(request)
            except Problem as problem:
                kind = "ended" if problem.slug == _ENDED else _KINDS.get(problem.status, "other")
                return _page(request, kind, problem.status, problem.headers)
            except RequestValidationError:
                return _page(request, "other", 422, {})

        return guarded


def _page(request: Request, kind: str, status: int, headers: dict[str, str]) -> Response:
    language = language_of(
        request.query_params.get("lang"), (), request.headers.get("Accept-Language", "")
    )
    page = pages_of(request).html("problem.html", language, status=status, kind=kind)
    page.headers.update(headers)
    return page
