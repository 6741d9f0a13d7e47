"""Decisions about agencies: load the province's list, find, page."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sebalai_shared.caller import ANONYMOUS, Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.agencies import events, store
from sebalai_identity.agencies.model import Agency, AgencyName
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


class AgencyEnded(Conflict):
    slug, title = "agency-ended", "The agency has ended already"


class SuccessorUnfit(Conflict):
    slug, title = "successor-unfit", "The agency cannot be followed in this way"


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
    # What a decree renamed here, the file of an earlier day does not rename back.
    kept = await store.renamed(session)
    read = (agency_row(row, folder) for row in folder.rows(FILE))
    rows = [row for row in read if row["slug"] not in kept]
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


async def rename(
    session: AsyncSession, *, slug: str, name: str, short_name: str, on: date, decree: str
) -> Agency:
    """The slug stays: it is the name everything else uses. Raises `AgencyUnknown`."""
    agency = await _locked(session, slug)
    former = AgencyName(
        id=uuid7(),
        agency=slug,
        name=agency.name,
        short_name=agency.short_name,
        until=on,
        decree=decree,
    )
    session.add(former)
    agency.name, agency.short_name = name, short_name
    agency.status, agency.source = UNVERIFIED, f"name: {decree}"
    await session.flush()
    return agency


async def end(session: AsyncSession, *, slug: str, on: date, successor: str | None) -> Agency:
    """Raises `AgencyUnknown`, `AgencyEnded`, `SuccessorUnfit`."""
    agency = await _locked(session, slug)
    if agency.valid_to is not None:
        raise AgencyEnded(f"It ended on {agency.valid_to}.")
    if agency.valid_from is not None and on <= agency.valid_from:
        raise SuccessorUnfit("It has not begun by then.")
    if successor is not None:
        agency.successor_id = (await _fit_successor(session, agency, successor, on)).id
    agency.valid_to = on
    await session.flush()
    return agency


async def _fit_successor(session: AsyncSession, agency: Agency, slug: str, on: date) -> Agency:
    found = await store.by_slug(session, ANONYMOUS, slug)
    if found is None or found.id == agency.id:
        raise SuccessorUnfit("Name another agency that exists.")
    if found.valid_to is not None and found.valid_to <= on:
        raise SuccessorUnfit(f"{slug} has ended by then; name its successor.")
    return found


async def _locked(session: AsyncSession, slug: str) -> Agency:
    agency = await store.lock(session, slug)
    if agency is None:
        raise AgencyUnknown("Look its slug up under /v1/agencies.")
    return agency


async def former_names(session: AsyncSession, *, slug: str) -> Sequence[AgencyName]:
    """Raises `AgencyUnknown`."""
    await find_agency(session, caller=ANONYMOUS, slug=slug)
    return await store.former_names(session, slug)


async def neighbours(session: AsyncSession, *, agencies: Sequence[Agency]) -> dict[UUID, str]:
    """The slugs of parents and successors of these agencies."""
    ids = {one for row in agencies for one in (row.parent_id, row.successor_id) if one}
    return await store.slugs(session, ids) if ids else {}
