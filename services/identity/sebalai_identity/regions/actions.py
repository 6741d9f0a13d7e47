"""Decisions about regions: load both numberings, page."""

from collections.abc import Sequence
from typing import Any

from sebalai_shared.caller import Caller
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.reference import Counts, ReferenceFolder
from sebalai_identity.regions import store
from sebalai_identity.regions.model import Region
from sebalai_identity.regions.store import RegionFilter

__all__ = ["RegionFilter"]

FILE = "regions.csv"
CROSSWALK = "region_code_crosswalk.csv"


async def load_regions(session: AsyncSession, *, folder: ReferenceFolder) -> Counts:
    """Brings the table to the files' state; parents first, as their codes sort first."""
    crosswalk = {row["kemendagri_code"]: row for row in folder.rows(CROSSWALK)}
    lines = sorted(folder.rows(FILE), key=lambda line: line["code"])
    rows = [_row(line, crosswalk.get(line["code"]), folder) for line in lines]
    return await store.keep(session, rows)


def _row(
    line: dict[str, str], crossed: dict[str, str] | None, folder: ReferenceFolder
) -> dict[str, Any]:
    code = line["code"]
    found = folder.provenance(FILE, code)
    bps = folder.provenance(CROSSWALK, code) if crossed else None
    return {
        "kemendagri_code": code,
        "bps_code": crossed["bps_code"] if crossed else None,
        "name": line["name"],
        "kind": line["kind"],
        "capital": line["capital"] or None,
        "parent_code": code.rpartition(".")[0] or None,
        "status": found.status,
        "source": found.source,
        "bps_status": bps.status if bps else None,
        "bps_source": bps.source if bps else None,
        "bps_note": crossed["note"] if crossed else None,
    }


async def list_regions(
    session: AsyncSession, *, caller: Caller, wanted: RegionFilter, after: str | None, limit: int
) -> Sequence[Region]:
    return await store.page(session, caller, wanted, after, limit)
