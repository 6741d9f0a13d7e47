"""Routes that answer a person: expected failures become pages in their language, not problems in
JSON. Faults stay with the application's own handler.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sebalai_shared.database import FAILURES, told_of
from sebalai_shared.problems import Problem

from sebalai_identity.web.pages import Pages
from sebalai_identity.web.texts import language_of

_KINDS = {403: "forged", 404: "missing", 429: "busy", 503: "busy"}
_SLUGS = {"interaction-unknown": "ended", "authorization-refused": "refused"}


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
                kind = _SLUGS.get(problem.slug) or _KINDS.get(problem.status, "other")
                return _page(request, kind, problem)
            except RequestValidationError:
                return _page(request, "other")
            except FAILURES as error:
                return _page(request, "away", told_of(error))

        return guarded


def _page(request: Request, kind: str, problem: Problem | None = None) -> Response:
    language = language_of(
        request.query_params.get("lang"), (), request.headers.get("Accept-Language", "")
    )
    status = problem.status if problem else 422
    # For whoever made the application: the person cannot mend what it asks.
    detail = problem.detail if problem and kind == "refused" else None
    page = pages_of(request).html("problem.html", language, status=status, kind=kind, detail=detail)
    page.headers.update(problem.headers if problem else {})
    return page
