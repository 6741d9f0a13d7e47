"""HTTP of agencies: `/v1/agencies`, open to everyone."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import CursorText, Limit, Page, decode_cursor, page
from sebalai_shared.problems import responses

from sebalai_identity.agencies import actions
from sebalai_identity.agencies.actions import AgencyFilter, AgencyUnknown
from sebalai_identity.agencies.model import Agency
from sebalai_identity.agencies.schema import AgencyRead, OfficialCode
from sebalai_identity.names import TEXT_PATTERN, Slug
from sebalai_identity.reference import Provenance

router = APIRouter(prefix="/v1/agencies", tags=["agencies"])

Word = Annotated[str | None, Query(min_length=1, max_length=80, pattern=TEXT_PATTERN)]


async def _filter(kind: Word = None, q: Word = None, at: date | None = None) -> AgencyFilter:
    return AgencyFilter(kind, q, at)


def _read(agency: Agency, slugs: dict[UUID, str]) -> AgencyRead:
    return AgencyRead(
        id=agency.id,
        slug=agency.slug,
        name=agency.name,
        short_name=agency.short_name,
        kind=agency.kind,
        affairs=agency.affairs,
        code=OfficialCode(
            value=agency.code,
            provenance=Provenance(status=agency.code_status, source=agency.code_source),
        ),
        parent=slugs[agency.parent_id] if agency.parent_id else None,
        successor=slugs[agency.successor_id] if agency.successor_id else None,
        valid_from=agency.valid_from,
        valid_to=agency.valid_to,
        provenance=Provenance(status=agency.status, source=agency.source),
    )


@router.get("")
async def list_agencies(
    caller: PublicAccess,
    session: Transaction,
    wanted: Annotated[AgencyFilter, Depends(_filter)],
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[AgencyRead]:
    after = decode_cursor(cursor, 1)
    rows = await actions.list_agencies(
        session, caller=caller, wanted=wanted, after=str(after[0]) if after else None, limit=limit
    )
    slugs = await actions.neighbours(session, agencies=rows)
    return page(rows, limit, lambda row: _read(row, slugs), lambda row: [row.slug])


@router.get("/{slug}", responses=responses(AgencyUnknown))
async def read_agency(slug: Slug, caller: PublicAccess, session: Transaction) -> AgencyRead:
    agency = await actions.find_agency(session, caller=caller, slug=slug)
    return _read(agency, await actions.neighbours(session, agencies=[agency]))
