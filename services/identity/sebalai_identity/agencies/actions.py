"""Decisions about agencies: load the province's list, find, page."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sebalai_shared.caller import ANONYMOUS, Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.agencies import events, store
from sebalai_identity.agencies.model import Agency
from sebalai_identity.agencies.store import AgencyFilter
from sebalai_identity.names import slug_of
from sebalai_identity.reference import Counts, ReferenceFolder
from sebalai_identity.wording import midnight

__all__ = ["AgencyFilter"]

FILE = "agencies.csv"
HEAD_UNIT = "0000"
CODE_MARK = "; code: "
NAME_MARK = "name_"
VERIFIED, PARTLY, UNVERIFIED = "verified", "partly", "unverified"
STATUSES = (VERIFIED, PARTLY, UNVERIFIED)


class AgencyUnknown(NotFound):
    slug, title = "agency-unknown", "There is no such agency"


def _name_status(row: dict[str, str], mark: str) -> str:
    """The file's `name_verified` is about the name alone; on the wire the place says that."""
    status = mark.removeprefix(NAME_MARK)
    if status not in STATUSES:
        msg = f"{FILE}, {row['code']}: status {mark!r} is none of {', '.join(STATUSES)}"
        raise ValueError(msg)
    return status


def agency_row(row: dict[str, str], folder: ReferenceFolder) -> dict[str, Any]:
    """A line of agencies.csv as a row; the sources of name and code are told apart.

    Raises `KeyError` without provenance, `ValueError` when its status is not of the vocabulary.
    """
    found = folder.provenance(FILE, row["code"])
    source, _, code_source = found.source.partition(CODE_MARK)
    is_code_verified = bool(code_source) and "unverified" not in code_source
    return {
        "id": uuid7(),
        "slug": slug_of(row["short_name"]),
        "name": row["name"],
        "short_name": row["short_name"],
        "kind": row["kind"],
        "code": row["code"],
        "affairs": [code for code in row["urusan"].split(";") if code],
        "status": _name_status(row, found.status),
        "source": source,
        "code_status": VERIFIED if is_code_verified else UNVERIFIED,
        "code_source": code_source or found.source,
    }


async def load_agencies(session: AsyncSession, clock: Clock, *, folder: ReferenceFolder) -> Counts:
    """Brings the table to the file's state; each new agency is a fact, once."""
    rows = [agency_row(row, folder) for row in folder.rows(FILE)]
    counts = await store.keep(session, rows)
    heads = {row["code"]: row["slug"] for row in rows if row["code"].endswith(HEAD_UNIT)}
    for row in rows:
        head = heads.get(row["code"].rpartition(".")[0] + "." + HEAD_UNIT)
        if head is not None and head != row["slug"]:
            await store.place_under(session, row["slug"], head)
    for slug in counts.inserted:
        agency = await find_agency(session, caller=ANONYMOUS, slug=slug)
        await publish(session, events.registered(agency, clock.now()))
    return counts


async def list_agencies(
    session: AsyncSession, *, caller: Caller, wanted: AgencyFilter, after: str | None, limit: int
) -> Sequence[Agency]:
    return await store.page(session, caller, wanted, after, limit)


async def find_agency(session: AsyncSession, *, caller: Caller, slug: str) -> Agency:
    """Raises `AgencyUnknown`."""
    agency = await store.by_slug(session, caller, slug)
    if agency is None:
        raise AgencyUnknown("Look its slug up under /v1/agencies.")
    return agency


async def require_in_force(session: AsyncSession, *, slug: str, on: date) -> None:
    """Raises `AgencyUnknown` when the agency is not one on that day."""
    agency = await find_agency(session, caller=ANONYMOUS, slug=slug)
    if agency.valid_to is not None and agency.valid_to <= on:
        raise AgencyUnknown(f"{slug} ended on {agency.valid_to}; take its successor.")


async def periods(
    session: AsyncSession, slugs: Collection[str]
) -> dict[str, tuple[datetime | None, datetime | None]]:
    """The instants at which these agencies begin and end; None is open."""
    rows = await store.by_slugs(session, slugs) if slugs else []
    return {
        row.slug: (
            midnight(row.valid_from) if row.valid_from else None,
            midnight(row.valid_to) if row.valid_to else None,
        )
        for row in rows
    }


async def neighbours(session: AsyncSession, *, agencies: Sequence[Agency]) -> dict[UUID, str]:
    """The slugs of parents and successors of these agencies."""
    ids = {one for row in agencies for one in (row.parent_id, row.successor_id) if one}
    return await store.slugs(session, ids) if ids else {}
