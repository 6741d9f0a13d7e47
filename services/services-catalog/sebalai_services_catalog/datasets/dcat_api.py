"""HTTP of the dataset catalogue as DCAT-AP: `/v1/exports/dcat-ap.jsonld`, public."""

from typing import Annotated
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Query, Request, Response
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, encode_cursor
from sebalai_shared.problems import responses

from sebalai_services_catalog.apis.actions import list_interfaces
from sebalai_services_catalog.conditional import Conditional
from sebalai_services_catalog.cursors import text_of
from sebalai_services_catalog.datasets import actions
from sebalai_services_catalog.datasets.dcat import PATH, catalogue
from sebalai_services_catalog.datasets.queries import Wanted
from sebalai_services_catalog.linked import MEDIA_TYPE
from sebalai_services_catalog.reference.actions import agency_names

router = APIRouter(prefix="/v1/exports", tags=["exports"], route_class=Conditional)

DATASETS_MAX = 200
"""Datasets in one document; the next ones are named by `Link: rel="next"` (RFC 8288)."""

Limit = Annotated[int, Query(ge=1, le=DATASETS_MAX, description="datasets in one document")]


@router.get(
    "/dcat-ap.jsonld",
    response_class=Response,
    responses=responses(BadCursor) | {200: {"content": {MEDIA_TYPE: {}}}},
)
async def export_dcat(
    request: Request,
    caller: PublicAccess,
    session: Transaction,
    cursor: CursorText = None,
    limit: Limit = DATASETS_MAX,
) -> Response:
    """Published datasets, and on the first page the interfaces of the bus as data services."""
    after = text_of(cursor)
    rows = await actions.list_datasets(
        session, caller=caller, wanted=Wanted(), after=after, limit=limit
    )
    interfaces = [] if after is not None else await list_interfaces(session, caller=caller)
    names = {slug: row.name for slug, row in (await agency_names(session)).items()}
    url, headers, more = request.app.state.settings.public_url, {}, None
    if len(rows) > limit:
        query = urlencode({"cursor": encode_cursor([rows[limit - 1].slug]), "limit": limit})
        more = f"{url}{PATH}?{query}"
        headers["Link"] = f'<{more}>; rel="next"'
    document = catalogue(url, rows[:limit], interfaces, names, more)
    headers["Access-Control-Allow-Origin"] = "*"
    return Response(orjson.dumps(document), headers=headers, media_type=MEDIA_TYPE)
