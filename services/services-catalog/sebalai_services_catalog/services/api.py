"""HTTP of services: `/v1/services`, public."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, decode_cursor, page
from sebalai_shared.problems import responses

from sebalai_services_catalog.provenance import ProvenanceRead
from sebalai_services_catalog.services import actions
from sebalai_services_catalog.services.actions import ServiceFilter, ServiceUnknown
from sebalai_services_catalog.services.files import AgencySlug, Audience, Slug
from sebalai_services_catalog.services.schema import ServiceRead, Text
from sebalai_services_catalog.services.store import Published

router = APIRouter(prefix="/v1/services", tags=["services"])

Q_LENGTH_MAX = 100

# A zero byte is no text for PostgreSQL.
Words = Annotated[
    str | None,
    Query(max_length=Q_LENGTH_MAX, pattern=r"^[^\x00]*$", description="words that must all occur"),
]


def _filter(
    agency: AgencySlug | None = None, audience: Audience | None = None, q: Words = None
) -> ServiceFilter:
    return ServiceFilter(agency, audience, q)


def _read(row: Published) -> ServiceRead:
    service, version = row
    return ServiceRead(
        id=service.id,
        slug=service.slug,
        agency=version.agency,
        name=Text(id=version.name_id, en=version.name_en),
        summary=Text(id=version.summary_id, en=version.summary_en),
        audiences=version.audiences,
        life_event=version.life_event,
        channels=version.channels,
        state=service.state,
        version=version.version,
        published_at=version.published_at,
        provenance=ProvenanceRead.of(version),
    )


def _after(cursor: str | None) -> tuple[str, str] | None:
    key = decode_cursor(cursor, 2)
    if key is None:
        return None
    name, slug = key
    if not isinstance(name, str) or not isinstance(slug, str) or "\0" in name + slug:
        raise BadCursor("Take `next` of the page before as it is, or leave it out.")
    return name, slug


@router.get("", responses=responses(BadCursor))
async def list_services(
    caller: PublicAccess,
    session: Transaction,
    wanted: Annotated[ServiceFilter, Depends(_filter)],
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[ServiceRead]:
    rows = await actions.list_services(
        session, caller=caller, wanted=wanted, after=_after(cursor), limit=limit
    )
    return page(rows, limit, _read, lambda row: [row[1].name_id, row[0].slug])


@router.get("/{slug}", responses=responses(ServiceUnknown))
async def read_service(slug: Slug, caller: PublicAccess, session: Transaction) -> ServiceRead:
    return _read(await actions.find_service(session, caller=caller, slug=slug))
