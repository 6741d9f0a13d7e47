"""HTTP of exports: published services for other catalogues, public; CPSV-AP and SIPPN-shaped."""

from typing import Annotated
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText
from sebalai_shared.problems import responses

from sebalai_services_catalog.conditional import Conditional
from sebalai_services_catalog.cursors import texts_of
from sebalai_services_catalog.exports import actions, sippn
from sebalai_services_catalog.exports.actions import Exported
from sebalai_services_catalog.exports.cpsv import catalogue
from sebalai_services_catalog.linked import MEDIA_TYPE

router = APIRouter(prefix="/v1/exports", tags=["exports"], route_class=Conditional)

SERVICES_MAX = 500
"""Services in one document; the next ones are named by `Link: rel="next"` (RFC 8288)."""
PUBLISHER = "diskominfo"
PROFILE = "https://semiceu.github.io/CPSV-AP/releases/3.2.0/"
CSV = "text/csv; charset=utf-8; header=present"

Limit = Annotated[int, Query(ge=1, le=SERVICES_MAX, description="services in one document")]


class Page:
    """One page of published services and how to answer with it."""

    def __init__(self, request: Request, exported: Exported, limit: int) -> None:
        self.exported = exported
        self.public_url: str = request.app.state.settings.public_url
        self.more = None
        if exported.next is not None:
            query = urlencode({"cursor": exported.next, "limit": limit})
            self.more = f"{self.public_url}/api/catalog{request.url.path}?{query}"

    def answer(self, body: bytes, media_type: str, **headers: str) -> Response:
        headers["Access-Control-Allow-Origin"] = "*"
        if self.more is not None:
            headers["Link"] = f'<{self.more}>; rel="next"'
        return Response(body, media_type=media_type, headers=headers)


async def _page(
    request: Request,
    caller: PublicAccess,
    session: Transaction,
    cursor: CursorText = None,
    limit: Limit = SERVICES_MAX,
) -> Page:
    found = await actions.export_services(
        session, caller=caller, after=texts_of(cursor), limit=limit
    )
    return Page(request, found, limit)


Wanted = Annotated[Page, Depends(_page)]


@router.get(
    "/cpsv-ap.jsonld",
    response_class=Response,
    responses=responses(BadCursor) | {200: {"content": {MEDIA_TYPE: {}}}},
)
async def export_cpsv(page: Wanted) -> Response:
    """Published services as CPSV-AP 3.2.0 in JSON-LD; `dct:provenance` says how sure each is."""
    exported = page.exported
    document = catalogue(page.public_url, exported.entries, exported.known, PUBLISHER, page.more)
    return page.answer(orjson.dumps(document), f'{MEDIA_TYPE}; profile="{PROFILE}"')


@router.get("/sippn.json", responses=responses(BadCursor))
async def export_sippn(page: Wanted, response: Response) -> sippn.SippnShaped:
    """Services with the 14 components, shaped after SIPPN's public entries; not certified."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    if page.more is not None:
        response.headers["Link"] = f'<{page.more}>; rel="next"'
    exported = page.exported
    return sippn.SippnShaped(
        bentuk=sippn.SHAPE,
        layanan=[sippn.row(entry, exported.known) for entry in exported.entries],
        berikutnya=page.more,
    )


@router.get(
    "/sippn.csv",
    response_class=Response,
    responses=responses(BadCursor) | {200: {"content": {"text/csv": {}}}},
)
async def export_sippn_csv(page: Wanted) -> Response:
    """The same for a spreadsheet: UTF-8 with a byte order mark, no cell begins like a formula."""
    rows = [sippn.row(entry, page.exported.known) for entry in page.exported.entries]
    name = 'attachment; filename="layanan-bentuk-sippn.csv"'
    return page.answer(sippn.sheet(rows), CSV, **{"Content-Disposition": name})
