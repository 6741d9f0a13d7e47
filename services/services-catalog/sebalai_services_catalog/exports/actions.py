"""What exports tell of: published services a page at a time, with what they refer to."""

from dataclasses import dataclass

from sebalai_shared.caller import Caller
from sebalai_shared.pagination import encode_cursor
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.exports.cpsv import Entry, Known
from sebalai_services_catalog.reference.actions import agency_names, region_names
from sebalai_services_catalog.regulations.actions import read_by_ids
from sebalai_services_catalog.services.actions import (
    Published,
    ServiceFilter,
    Standard,
    list_services,
)


@dataclass(frozen=True, slots=True)
class Exported:
    """`next` is the cursor of the page after this one."""

    entries: list[Entry]
    known: Known
    next: str | None


async def export_services(
    session: AsyncSession, *, caller: Caller, after: tuple[str, str] | None, limit: int
) -> Exported:
    """Published and suspended services by their Indonesian name."""
    rows = await list_services(
        session, caller=caller, wanted=ServiceFilter(), after=after, limit=limit
    )
    entries = [_entry(row) for row in rows[:limit]]
    ids = sorted({key for entry in entries for key in entry.standard.legal_basis or []})
    laws = {law.id: law for law in await read_by_ids(session, ids=ids)}
    agencies = {slug: row.name for slug, row in (await agency_names(session)).items()}
    more = None
    if len(rows) > limit:
        more = encode_cursor([entries[-1].name[0], entries[-1].slug])
    return Exported(entries, Known(agencies, laws, await region_names(session)), more)


def _entry(row: Published) -> Entry:
    service, version = row
    return Entry(
        slug=service.slug,
        agency=version.agency,
        state=service.state,
        version=version.version,
        published_at=version.published_at,
        provenance=(version.provenance_status, version.provenance_source),
        name=(version.name_id, version.name_en),
        summary=(version.summary_id, version.summary_en),
        standard=Standard.model_validate(version.standard),
    )
