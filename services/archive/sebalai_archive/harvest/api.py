"""HTTP of the harvest: `/v1/oai`, by GET and by POST of a form, as the protocol wants it."""

from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction

from sebalai_archive.harvest import actions
from sebalai_archive.harvest.actions import Repository

router = APIRouter(prefix="/v1/oai", tags=["harvest"])

FIELDS_MAX = 20
ARGUMENT_LENGTH_MAX = 600
MEDIA_TYPE = "text/xml"
ARGUMENTS = ("verb", "identifier", "metadataPrefix", "from", "until", "set", "resumptionToken")
_XML: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}, "description": "OAI-PMH 2.0"}
}
_TEXT = {"type": "string", "maxLength": ARGUMENT_LENGTH_MAX}
_QUERY = {
    "parameters": [
        {"name": name, "in": "query", "required": False, "schema": _TEXT} for name in ARGUMENTS
    ]
}
_FORM = {
    "requestBody": {
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {"type": "object", "properties": dict.fromkeys(ARGUMENTS, _TEXT)}
            }
        }
    }
}


@router.get("", responses=_XML, response_class=Response, openapi_extra=_QUERY)
async def harvest(request: Request, caller: PublicAccess, session: Transaction) -> Response:
    """Identify, ListMetadataFormats, ListSets, ListIdentifiers, ListRecords, GetRecord. Errors are
    told in the document, with status 200.
    """
    del caller
    return await _answered(request, session, request.url.query)


@router.post("", responses=_XML, response_class=Response, openapi_extra=_FORM)
async def harvest_by_form(request: Request, caller: PublicAccess, session: Transaction) -> Response:
    del caller
    return await _answered(request, session, (await request.body()).decode("ascii", "replace"))


async def _answered(request: Request, session: Transaction, query: str) -> Response:
    settings = request.app.state.settings
    repository = Repository(
        f"{settings.public_url}/api/archive/v1/oai", settings.public_url, settings.oai_email
    )
    document = await actions.answer_harvester(session, repository=repository, pairs=_pairs(query))
    return Response(document, media_type=MEDIA_TYPE)


def _pairs(query: str) -> list[tuple[str, str]]:
    """None of what is too much to be a request of the protocol: that is no verb."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        return []
    is_small = all(len(value) <= ARGUMENT_LENGTH_MAX for _, value in pairs)
    return pairs if is_small else []
