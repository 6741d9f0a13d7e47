"""Expected failures as RFC 9457 problem details.

A slice derives one class per failure it raises. The handlers turn them, and malformed input,
into `application/problem+json`. An unexpected exception becomes a 500 without its text.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from sebalai_shared.telemetry import current_trace

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:sebalai:problem:"
FIELD_ERRORS_LIMIT = 20
_SCHEMA = {"$ref": "#/components/schemas/ProblemDocument"}


class Problem(Exception):
    """An expected failure. `slug` names it for machines, `title` for people; both never change."""

    status: ClassVar[int] = 400
    slug: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be served"

    def __init__(
        self, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    def document(self) -> dict[str, Any]:
        return problem_document(self.status, self.slug, self.title, self.detail, **self.members)


class NotFound(Problem):
    status, slug, title = 404, "not-found", "There is no such thing, or it is not yours to see"


class Forbidden(Problem):
    status, slug, title = 403, "forbidden", "Not allowed"


class Unauthenticated(Problem):
    status, slug, title = 401, "unauthenticated", "Who is calling?"


class Conflict(Problem):
    status, slug, title = 409, "conflict", "The present state does not allow this"


class Unavailable(Problem):
    status, slug, title = 503, "unavailable", "Not available for the moment"


class FieldInvalid(Problem):
    """One named field breaks a rule that its type cannot express."""

    status, slug, title = 422, "field-invalid", "A field breaks a rule"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail, errors=[{"pointer": field, "detail": detail}])


class ProblemDocument(BaseModel):
    """How a problem looks on the wire (RFC 9457); in OpenAPI one schema for all."""

    type: str
    title: str
    status: int
    detail: str
    trace_id: str | None = None


def problem_document(
    status: int, slug: str, title: str, detail: str, **members: Any
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": TYPE_PREFIX + slug,
        "title": title,
        "status": status,
        "detail": detail,
    }
    trace = current_trace()
    if trace is not None:
        document["trace_id"] = trace.trace_id
    return document | members


def responses(*problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI `responses` for the problems a route may answer with."""
    said: dict[int | str, list[str]] = {}
    for problem in problems:
        said.setdefault(problem.status, []).append(f"{problem.title} ({problem.slug})")
    return {status: _described("; ".join(dict.fromkeys(lines))) for status, lines in said.items()}


def _described(description: str) -> dict[str, Any]:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": _SCHEMA}}}


def _describe(document: dict[str, Any]) -> dict[str, Any]:
    """What no route declares because every route answers so; FastAPI's own 422 is never sent."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["ProblemDocument"] = ProblemDocument.model_json_schema()
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    components["responses"] = {
        "Unreadable": _described("The body cannot be read (http)"),
        "TooLarge": _described("The body is larger than is taken here (body-too-large)"),
        "Malformed": _described("The input is malformed (malformed)"),
        "Fault": _described("A fault on our side, or not available for the moment"),
    }
    for operation in (one for path in document["paths"].values() for one in path.values()):
        answers: dict[str, Any] = operation["responses"]
        if "HTTPValidationError" in str(answers.get("422")):
            answers["422"] = {"$ref": "#/components/responses/Malformed"}
        if "requestBody" in operation:
            answers.setdefault("400", {"$ref": "#/components/responses/Unreadable"})
            answers.setdefault("413", {"$ref": "#/components/responses/TooLarge"})
        answers["5XX"] = {"$ref": "#/components/responses/Fault"}
    return document


def _answer(document: dict[str, Any], headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        document, status_code=document["status"], media_type=MEDIA_TYPE, headers=headers
    )


def answer(problem: Problem) -> JSONResponse:
    """The problem as an ASGI response, for code that stands outside the routes."""
    return _answer(problem.document(), problem.headers)


def _pointer(location: Sequence[int | str]) -> str:
    return "/" + "/".join(str(part) for part in location[1:]) if len(location) > 1 else "/"


async def _on_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)  # noqa: S101 - registered for Problem only
    return answer(error)


async def _on_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    # The value itself is left out: it may be a NIK.
    errors = [
        {"in": str(found["loc"][0]), "pointer": _pointer(found["loc"]), "detail": found["msg"]}
        for found in error.errors()[:FIELD_ERRORS_LIMIT]
    ]
    first = errors[0] if errors else {"pointer": "/", "detail": "malformed"}
    detail = f"{first['pointer']}: {first['detail']}. Correct the fields named in errors."
    return _answer(
        problem_document(422, "malformed", "The input is malformed", detail, errors=errors)
    )


async def _on_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    slug = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "http")
    document = problem_document(error.status_code, slug, error.detail, error.detail)
    return _answer(document, error.headers)


async def _on_unexpected(_: Request, error: Exception) -> JSONResponse:
    log.error("unexpected failure", exc_info=error)
    detail = "A fault on our side; nothing was half-done. Tell the operator the trace_id."
    return _answer(problem_document(500, "internal", "Internal fault", detail))


def install(app: FastAPI) -> None:
    """Problems are answered, and the application's OpenAPI document says so."""
    make = app.openapi
    app.openapi = lambda: app.openapi_schema or _describe(make())
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_unexpected)
