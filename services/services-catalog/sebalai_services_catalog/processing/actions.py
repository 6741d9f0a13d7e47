"""Decisions about the processing register: what is in it, and what a fact of exchange changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.events import Event
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.evidence.actions import list_types
from sebalai_services_catalog.processing import events, store
from sebalai_services_catalog.processing.activity import Known, Recorded, activity_of
from sebalai_services_catalog.processing.model import KnownAgreement
from sebalai_services_catalog.services.actions import (
    Published,
    ServiceFilter,
    Standard,
    count_standards,
    find_service,
    list_services,
)

AGENCY = 2
"""Where in an r1 identifier (`INSTANCE/CLASS/agency/…`) the agency stands."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """`whole`: published services whose activity lacks nothing, as a share, null without any."""

    whole: Fraction | None
    disclosures: int


async def take_agreement(session: AsyncSession, *, event: Event) -> None:
    """Raises `ValueError` when the fact lacks what we read, `KeyError` for another type."""
    state = events.STATES[event.type]
    fact = events.AgreementMoved.model_validate(event.data)
    values = fact.model_dump(exclude={"agreement_id"}) | {
        "id": fact.agreement_id,
        "owner": agency_of(fact.provider),
        "state": state,
        "seen_at": event.time,
    }
    await store.keep(session, values)


def agency_of(name: str) -> str:
    """Of an r1 identifier. Raises `ValueError` when it is none."""
    parts = name.split("/")
    if len(parts) <= AGENCY:
        raise ValueError(f"{name} is no r1 identifier")
    return parts[AGENCY]


async def list_activities(
    session: AsyncSession,
    *,
    caller: Caller,
    now: datetime,
    agency: str | None,
    page: tuple[tuple[str, str] | None, int],
) -> list[Recorded]:
    """Up to one more than the page's limit, by Indonesian name."""
    after, limit = page
    wanted = ServiceFilter(agency=agency)
    rows = await list_services(session, caller=caller, wanted=wanted, after=after, limit=limit)
    known = await _known(session, caller, now)
    return [_recorded(row, known) for row in rows]


async def find_activity(
    session: AsyncSession, *, caller: Caller, now: datetime, slug: str
) -> Recorded:
    """Raises: ServiceUnknown."""
    row = await find_service(session, caller=caller, slug=slug)
    return _recorded(row, await _known(session, caller, now))


async def list_disclosures(
    session: AsyncSession, *, caller: Caller, now: datetime, after: UUID | None, limit: int
) -> Sequence[KnownAgreement]:
    """Agreements in force, up to `limit + 1`, the latest first."""
    return await store.page(session, caller, now, after, limit)


async def all_disclosures(
    session: AsyncSession, *, caller: Caller, now: datetime, agency: str | None
) -> Sequence[KnownAgreement]:
    """Agreements in force, of one giving agency or all."""
    return await store.in_force(session, caller, now, agency)


async def coverage(session: AsyncSession, *, now: datetime) -> Coverage:
    """How much of what is published the register holds whole."""
    standards = await count_standards(session)
    share = Fraction(standards.with_retention, standards.all) if standards.all else None
    return Coverage(share, await store.count_in_force(session, now))


async def _known(session: AsyncSession, caller: Caller, now: datetime) -> Known:
    types = {one.code: one for one in await list_types(session)}
    return Known(types, await store.in_force(session, caller, now))


def _recorded(row: Published, known: Known) -> Recorded:
    service, version = row
    standard = Standard.model_validate(version.standard)
    return Recorded(row, activity_of(service.agency, standard, known))
