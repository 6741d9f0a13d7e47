"""HTTP in CKAN's words: `/api/3/action/{action}`, public, reading only.

Answers and errors are CKAN's (`help`, `success`, `result` or `error`), not problems: its clients
read nothing else. GET takes parameters in the address, POST as a JSON object.
"""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request, Response
from pydantic import ValidationError
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction

from sebalai_services_catalog.conditional import Conditional
from sebalai_services_catalog.datasets.ckan import Site
from sebalai_services_catalog.datasets.ckan_actions import ACTIONS, Asked, NotThere, Wrong
from sebalai_services_catalog.datasets.queries import NotUnderstood
from sebalai_services_catalog.reference.actions import agency_names

router = APIRouter(tags=["ckan"], route_class=Conditional)
posted = APIRouter(tags=["ckan"])

NAME_SHOWN_MAX = 60
ERRORS_SHOWN_MAX = 10

_ENVELOPE: dict[str, Any] = {
    "content": {
        "application/json": {
            "schema": {
                "anyOf": [
                    {"type": "object", "required": ["help", "success"]},
                    {"type": "string", "description": "Of a request that cannot be read"},
                ]
            }
        }
    }
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "`success` and `result`"} | _ENVELOPE,
    400: {"description": "Not an action, or not a query"} | _ENVELOPE,
    404: {"description": "Not Found Error"} | _ENVELOPE,
    409: {"description": "Validation Error"} | _ENVELOPE,
}

Name = Annotated[str, Path(max_length=100)]


class _Bad(ValueError):
    """CKAN answers it with a bare text."""


def _json(body: object, status: int = 200) -> Response:
    headers = {"Access-Control-Allow-Origin": "*"}
    return Response(
        orjson.dumps(body), status, headers, media_type="application/json;charset=utf-8"
    )


def _error(help_url: str, status: int, kind: str, **said: Any) -> Response:
    error = {"__type": kind, **said}
    return _json({"help": help_url, "success": False, "error": error}, status)


async def _parameters(request: Request) -> dict[str, Any]:
    """Raises: _Bad."""
    if request.method == "GET":
        return dict(request.query_params)
    body = await request.body()
    try:
        said = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError as error:
        raise _Bad("JSON Error: Error decoding JSON data.") from error
    if not isinstance(said, dict):
        raise _Bad("Bad request - JSON Error: Request data JSON decoded to no object.")
    return said


def _invalid(help_url: str, error: ValidationError) -> Response:
    """By field, without the value: it may be anything."""
    said: dict[str, list[str]] = {}
    for one in error.errors()[:ERRORS_SHOWN_MAX]:
        said.setdefault(".".join(str(part) for part in one["loc"][:2]), []).append(one["msg"])
    return _error(help_url, 409, "Validation Error", **said)


@router.get("/api/3/action/{action}", responses=ANSWERS, response_class=Response)
@router.get("/api/action/{action}", response_class=Response, include_in_schema=False)
async def read_action(
    action: Name, request: Request, caller: PublicAccess, session: Transaction
) -> Response:
    """`package_search`, `package_show`, … as CKAN 2.10 answers them."""
    return await _answer(action, request, Asked(session, caller, await _site(request, session)))


@posted.post("/api/3/action/{action}", response_class=Response, include_in_schema=False)
@posted.post("/api/action/{action}", response_class=Response, include_in_schema=False)
async def call_action(
    action: Name, request: Request, caller: PublicAccess, session: Transaction
) -> Response:
    """The same by POST, as CKAN's own client asks."""
    return await _answer(action, request, Asked(session, caller, await _site(request, session)))


async def _site(request: Request, session: Transaction) -> Site:
    return Site(request.app.state.settings.public_url, await agency_names(session))


async def _answer(action: str, request: Request, asked: Asked) -> Response:
    help_url = f"{asked.site.public_url}/api/3/action/help_show?name={action[:NAME_SHOWN_MAX]}"
    try:
        result = await _run(action, asked, await _parameters(request))
    except (_Bad, ValidationError, Wrong, NotUnderstood, NotThere) as error:
        return _refusal(help_url, error)
    return _json({"help": help_url, "success": True, "result": result})


def _refusal(help_url: str, error: Exception) -> Response:
    """A failure as CKAN tells it."""
    if isinstance(error, _Bad):
        return _json(str(error), 400)
    if isinstance(error, ValidationError):
        return _invalid(help_url, error)
    if isinstance(error, Wrong):
        return _error(help_url, 409, "Validation Error", **{error.field: [str(error)]})
    if isinstance(error, NotUnderstood):
        told = f"Search Query is invalid: {error}"
        return _error(help_url, 400, "Search Query Error", message=told)
    return _error(help_url, 404, "Not Found Error", message="Not found")


async def _run(action: str, asked: Asked, said: dict[str, Any]) -> Any:
    """Raises: _Bad, ValidationError, Wrong, NotUnderstood, NotThere."""
    if action == "help_show":
        return _help(str(said.get("name", "")))
    if action not in ACTIONS:
        raise _Bad(f"Bad request - Action name not known: {action[:NAME_SHOWN_MAX]}")
    act, parameters = ACTIONS[action]
    return await act(asked, parameters.model_validate(said))


def _help(name: str) -> str:
    """Raises: NotThere."""
    if name not in ACTIONS:
        raise NotThere
    return (ACTIONS[name][0].__doc__ or "").strip()
