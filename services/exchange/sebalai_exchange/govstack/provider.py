"""What GovStack's routes have in common: whom a path names, and malformed input as 400.

Its definition knows no 422, and its programs look for what it says.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sebalai_shared.problems import FIELD_ERRORS_LIMIT, Problem, Unauthenticated, responses

from sebalai_exchange.names import SLUG

BASE = "/{instance}/{group}/{agency}/{application}"
MALFORMED = 422


class Invalid(Problem):
    """One of our 422s as GovStack's programs are told it: with the fields named all the same."""

    status, slug, title = 400, "malformed", "The input is malformed"


INPUT = responses(Unauthenticated, Invalid)


class GovStackRoute(APIRoute):
    """Answers 400 where the rest of exchange answers 422."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        serve = super().get_route_handler()

        async def restated(request: Request) -> Response:
            try:
                return await serve(request)
            except RequestValidationError as error:
                raise _fields(error) from None
            except Problem as problem:
                if problem.status != MALFORMED:
                    raise
                raise Invalid(problem.detail, **problem.members) from problem

        return restated


def _fields(error: RequestValidationError) -> Invalid:
    """The value itself is left out: it may be a NIK."""
    errors = [
        {
            "in": str(found["loc"][0]),
            "pointer": "/" + "/".join(map(str, found["loc"][1:])),
            "detail": found["msg"],
        }
        for found in error.errors()[:FIELD_ERRORS_LIMIT]
    ]
    return Invalid("Correct the fields named in errors.", errors=errors)


Code = Annotated[str, Path(pattern="^[A-Z0-9-]{1,20}$")]
Slug = Annotated[str, Path(pattern=f"^{SLUG}$")]


async def _provider(instance: Code, group: Code, agency: Slug, application: Slug) -> str:
    return f"{instance}/{group}/{agency}/{application}"


Provider = Annotated[str, Depends(_provider)]
