"""HTTP of regions: `/v1/regions`, open to everyone."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import CursorText, Limit, Page, decode_cursor, page

from sebalai_identity.reference import Provenance
from sebalai_identity.regions import actions
from sebalai_identity.regions.actions import RegionFilter
from sebalai_identity.regions.model import Region
from sebalai_identity.regions.schema import RegionCode, RegionRead

router = APIRouter(prefix="/v1/regions", tags=["regions"])

Kind = Annotated[str | None, Query(pattern=r"^[a-z]{1,20}$")]
Kemendagri = Annotated[str | None, Query(pattern=r"^[0-9]{2}(\.[0-9]{2,4}){0,3}$")]
Bps = Annotated[str | None, Query(pattern=r"^[0-9]{2,10}$")]


async def _filter(
    kind: Kind = None,
    parent: Kemendagri = None,
    kemendagri_code: Kemendagri = None,
    bps_code: Bps = None,
) -> RegionFilter:
    return RegionFilter(kind, parent, kemendagri_code, bps_code)


def _read(region: Region) -> RegionRead:
    provenance = Provenance(status=region.status, source=region.source)
    codes = [RegionCode(scheme="kemendagri", value=region.kemendagri_code, provenance=provenance)]
    if region.bps_code is not None:
        of_bps = Provenance(status=region.bps_status or "", source=region.bps_source or "")
        codes.append(
            RegionCode(scheme="bps", value=region.bps_code, provenance=of_bps, note=region.bps_note)
        )
    parent = region.parent_code
    return RegionRead(
        name=region.name,
        kind=region.kind,
        capital=region.capital,
        codes=codes,
        parent=RegionCode(scheme="kemendagri", value=parent, provenance=provenance)
        if parent
        else None,
        provenance=provenance,
    )


@router.get("")
async def list_regions(
    caller: PublicAccess,
    session: Transaction,
    wanted: Annotated[RegionFilter, Depends(_filter)],
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[RegionRead]:
    after = decode_cursor(cursor, 1)
    rows = await actions.list_regions(
        session, caller=caller, wanted=wanted, after=str(after[0]) if after else None, limit=limit
    )
    return page(rows, limit, _read, lambda row: [row.kemendagri_code])
