"""HTTP of the processing register: `/v1/processing`, public: who does what with which data."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, encode_cursor, page
from sebalai_shared.problems import responses

from sebalai_services_catalog.conditional import Conditional
from sebalai_services_catalog.cursors import id_of, texts_of
from sebalai_services_catalog.now import Now
from sebalai_services_catalog.processing import actions
from sebalai_services_catalog.processing.activity import Recorded
from sebalai_services_catalog.processing.model import KnownAgreement
from sebalai_services_catalog.processing.schema import ActivityRead, DisclosureRead
from sebalai_services_catalog.processing.sheet import sheet
from sebalai_services_catalog.reference.actions import agency_names
from sebalai_services_catalog.services.actions import ServiceUnknown

router = APIRouter(prefix="/v1/processing", tags=["processing"], route_class=Conditional)

SHEET_ACTIVITIES_MAX = 500
"""Services in one sheet; the next ones are named by `Link: rel="next"` (RFC 8288)."""
CSV = "text/csv; charset=utf-8; header=present"
Slug = Annotated[str, Path(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Agency = Annotated[
    str | None,
    Query(pattern=r"^[a-z0-9-]{1,40}$", description="only what this agency answers for"),
]


SheetLimit = Annotated[int, Query(ge=1, le=SHEET_ACTIVITIES_MAX, description="services a sheet")]


class SheetPage(NamedTuple):
    agency: str | None
    after: tuple[str, str] | None
    limit: int


async def _sheet_page(
    agency: Agency = None, cursor: CursorText = None, limit: SheetLimit = SHEET_ACTIVITIES_MAX
) -> SheetPage:
    return SheetPage(agency, texts_of(cursor), limit)


async def _names(session: Transaction) -> dict[str, str]:
    return {slug: row.name for slug, row in (await agency_names(session)).items()}


@router.get("/services", responses=responses(BadCursor))
async def list_activities(
    caller: PublicAccess,
    session: Transaction,
    clock: Now,
    agency: Agency = None,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[ActivityRead]:
    """What each published service does with personal data (UU 27/2022 art. 31)."""
    found = await actions.list_activities(
        session, caller=caller, now=clock.now(), agency=agency, page=(texts_of(cursor), limit)
    )
    names = await _names(session)
    return page(
        found,
        limit,
        lambda one: ActivityRead.of(one, names),
        lambda one: [one.row[1].name_id, one.row[0].slug],
    )


@router.get("/services/{slug}", responses=responses(ServiceUnknown))
async def read_activity(
    slug: Slug, caller: PublicAccess, session: Transaction, clock: Now
) -> ActivityRead:
    """Of one service."""
    found = await actions.find_activity(session, caller=caller, now=clock.now(), slug=slug)
    return ActivityRead.of(found, await _names(session))


@router.get("/agreements", responses=responses(BadCursor))
async def list_disclosures(
    caller: PublicAccess,
    session: Transaction,
    clock: Now,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[DisclosureRead]:
    """Who gives whom which categories of data under an agreement in force."""
    rows = await actions.list_disclosures(
        session, caller=caller, now=clock.now(), after=id_of(cursor), limit=limit
    )
    return page(rows, limit, DisclosureRead.of, lambda row: [row.id])


@router.get(
    "/register.csv",
    response_class=Response,
    responses=responses(BadCursor) | {200: {"content": {"text/csv": {}}}},
)
async def export_register(
    request: Request,
    caller: PublicAccess,
    session: Transaction,
    clock: Now,
    wanted: Annotated[SheetPage, Depends(_sheet_page)],
) -> Response:
    """Services, and in the first sheet the agreements: UTF-8 with a byte order mark."""
    now, names, limit = clock.now(), await _names(session), wanted.limit
    found = await actions.list_activities(
        session, caller=caller, now=now, agency=wanted.agency, page=(wanted.after, limit)
    )
    rows: Sequence[KnownAgreement] = ()
    if wanted.after is None:
        rows = await actions.all_disclosures(session, caller=caller, now=now, agency=wanted.agency)
    activities = (ActivityRead.of(one, names) for one in found[:limit])
    body = sheet(activities, map(DisclosureRead.of, rows))
    name = 'attachment; filename="register-pemrosesan.csv"'
    headers = {"Content-Disposition": name, "Access-Control-Allow-Origin": "*"}
    if len(found) > limit:
        headers["Link"] = f'<{_following(request, found[limit - 1], wanted)}>; rel="next"'
    return Response(body, media_type=CSV, headers=headers)


def _following(request: Request, last: Recorded, wanted: SheetPage) -> str:
    service, version = last.row
    query = {"cursor": encode_cursor([version.name_id, service.slug]), "limit": wanted.limit}
    if wanted.agency is not None:
        query["agency"] = wanted.agency
    public_url: str = request.app.state.settings.public_url
    return f"{public_url}/api/catalog{request.url.path}?{urlencode(query)}"
