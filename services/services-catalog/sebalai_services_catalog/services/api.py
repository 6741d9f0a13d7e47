"""HTTP of published services: `/v1/services`, public; suspending and retiring by their agency."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_services_catalog.conditional import Conditional
from sebalai_services_catalog.cursors import POSITION_MAX, position_of, texts_of
from sebalai_services_catalog.deltas import Delta, Since, SyncTokenStale
from sebalai_services_catalog.now import Now
from sebalai_services_catalog.regulations.actions import read_by_ids, revoked_ids
from sebalai_services_catalog.services import actions
from sebalai_services_catalog.services.actions import (
    ServiceActRefused,
    ServiceFilter,
    ServiceStateConflict,
    ServiceUnknown,
)
from sebalai_services_catalog.services.lifecycle import Act
from sebalai_services_catalog.services.points import Place
from sebalai_services_catalog.services.readings import Facts, full, read, template_read
from sebalai_services_catalog.services.schema import (
    ActRead,
    Batch,
    Reason,
    ServiceChange,
    ServiceFull,
    ServiceRead,
    TemplateRead,
    VersionRead,
)
from sebalai_services_catalog.services.search import Narrowed
from sebalai_services_catalog.services.shapes import AgencySlug, Slug
from sebalai_services_catalog.services.standard import Audience
from sebalai_services_catalog.services.store import Published
from sebalai_services_catalog.sparse import SPARSE, Sparse

router = APIRouter(prefix="/v1/services", tags=["services"], route_class=Sparse)
templates = APIRouter(prefix="/v1/templates", tags=["services"], route_class=Conditional)

Q_LENGTH_MAX = 100
BATCH_MAX = 50

# A zero byte is no text for PostgreSQL.
Words = Annotated[
    str | None,
    Query(max_length=Q_LENGTH_MAX, pattern=r"^[^\x00]*$", description="words that must all occur"),
]
Flagged = Annotated[
    Literal["legal_basis_revoked", "review_due"] | None,
    Query(description="services that an officer must look at"),
]
Placed = Annotated[
    Place | None,
    Query(description="kabupaten or kota (Kemendagri code) with a service point of it"),
]
Slugs = Annotated[list[Slug], Query(min_length=1, max_length=BATCH_MAX)]
Version = Annotated[int, Path(ge=1, le=POSITION_MAX)]


async def _facts(session: Transaction, clock: Now) -> Facts:
    return Facts(clock.now().date(), await revoked_ids(session))


KnownFacts = Annotated[Facts, Depends(_facts)]


async def _within(
    agency: AgencySlug | None = None,
    audience: Audience | None = None,
    event: Slug | None = None,
    place: Placed = None,
) -> Narrowed:
    return Narrowed(agency, audience, event, place)


Within = Annotated[Narrowed, Depends(_within)]


async def _filter(
    facts: KnownFacts, within: Within, q: Words = None, flag: Flagged = None
) -> ServiceFilter:
    laws: frozenset[str] | None = facts.revoked if flag == "legal_basis_revoked" else None
    before: date | None = facts.today if flag == "review_due" else None
    return ServiceFilter(
        within.agency, within.audience, q, within.event, laws, before, within.place
    )


async def _full(session: Transaction, row: Published, facts: Facts) -> ServiceFull:
    laws = await read_by_ids(session, ids=row[1].standard.get("legal_basis") or [])
    return full(row, facts, laws)


@router.get("", dependencies=SPARSE, responses=responses(BadCursor, FieldInvalid))
async def list_services(
    caller: PublicAccess,
    session: Transaction,
    wanted: Annotated[ServiceFilter, Depends(_filter)],
    facts: KnownFacts,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[ServiceRead]:
    rows = await actions.list_services(
        session,
        caller=caller,
        wanted=wanted,
        after=texts_of(cursor),
        limit=limit,
    )
    return page(
        rows, limit, lambda row: read(row, facts), lambda row: [row[1].name_id, row[0].slug]
    )


@router.get("/batch", dependencies=SPARSE, responses=responses(FieldInvalid))
async def read_batch(
    caller: PublicAccess, session: Transaction, facts: KnownFacts, slug: Slugs
) -> Batch:
    """Several services at once, each once, in the order asked; `missing` names those there are
    not.
    """
    wanted = list(dict.fromkeys(slug))
    found = await actions.find_services(session, caller=caller, slugs=wanted)
    items = [read(found[one], facts) for one in wanted if one in found]
    return Batch(items=items, missing=[one for one in wanted if one not in found])


@router.get("/changes", dependencies=SPARSE, responses=responses(BadCursor, SyncTokenStale))
async def list_changes(
    caller: PublicAccess, session: Transaction, since: Since = None, limit: Limit = 100
) -> Delta[ServiceChange]:
    """What was published, suspended, resumed or retired since the last read, and what rests on a
    regulation that changed. That a review date passes is no change: who holds it knows.
    """
    found = await actions.changed_services(session, caller=caller, page=(since, limit))
    items = [ServiceChange.model_validate(row[0], from_attributes=True) for row in found.rows]
    return Delta(items=items, since=found.since, more=found.more)


@router.get("/{slug}", dependencies=SPARSE, responses=responses(ServiceUnknown, FieldInvalid))
async def read_service(
    slug: Slug, caller: PublicAccess, session: Transaction, facts: KnownFacts
) -> ServiceFull:
    """One service with its standard: the 14 components of UU 25/2009."""
    row = await actions.find_service(session, caller=caller, slug=slug)
    return await _full(session, row, facts)


@router.get("/{slug}/versions", responses=responses(ServiceUnknown, BadCursor))
async def list_versions(
    slug: Slug,
    caller: PublicAccess,
    session: Transaction,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[VersionRead]:
    """Every version ever published, the latest first."""
    rows = await actions.list_versions(
        session, caller=caller, slug=slug, below=position_of(cursor), limit=limit
    )
    return page(
        rows,
        limit,
        lambda row: VersionRead.model_validate(row, from_attributes=True),
        lambda row: [row.version],
    )


@router.get("/{slug}/versions/{version}", responses=responses(ServiceUnknown))
async def read_version(
    slug: Slug,
    version: Version,
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
    facts: KnownFacts,
) -> ServiceFull:
    """A version as it was: a request keeps the one it was filed under."""
    return await _full(
        session, await actions.find_version(session, slug=slug, version=version), facts
    )


@router.get("/{slug}/acts", responses=responses(ServiceUnknown))
async def list_acts(slug: Slug, caller: PublicAccess, session: Transaction) -> list[ActRead]:
    """Who sent for review, published, suspended or retired it, when and why."""
    rows = await actions.list_acts(session, caller=caller, slug=slug)
    return [ActRead.model_validate(row, from_attributes=True) for row in rows]


MOVES = responses(ServiceUnknown, ServiceActRefused, ServiceStateConflict)


Move = Callable[[str, Act], Awaitable[ServiceRead]]


async def _mover(
    wanted: Reason, caller: IdentifiedAccess, session: Transaction, clock: Now, facts: KnownFacts
) -> Move:
    """Takes a service, by its slug, through one act of its life; the routes below name the act."""

    async def move(slug: str, act: Act) -> ServiceRead:
        row = await actions.move_service(
            session, clock, caller=caller, slug=slug, act=act, reason=wanted.reason
        )
        return read(row, facts)

    return move


Mover = Annotated[Move, Depends(_mover)]


@router.post("/{slug}/suspension", responses=MOVES)
async def suspend_service(slug: Slug, move: Mover) -> ServiceRead:
    """No new requests are taken; running ones go on."""
    return await move(slug, "suspend")


@router.post("/{slug}/resumption", responses=MOVES)
async def resume_service(slug: Slug, move: Mover) -> ServiceRead:
    """It takes requests again."""
    return await move(slug, "resume")


@router.post("/{slug}/retirement", responses=MOVES)
async def retire_service(slug: Slug, move: Mover) -> ServiceRead:
    """It leaves the list for good; its address and versions stay readable."""
    return await move(slug, "retire")


@templates.get("")
async def list_templates(
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
) -> list[TemplateRead]:
    """The national and provincial templates that services inherit from."""
    rows = await actions.list_templates(session)
    return [template_read(row) for row in rows]
