"""HTTP of datasets: `/v1/datasets`, public; written by their agency, published by the walidata."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_services_catalog.conditional import Conditional
from sebalai_services_catalog.cursors import text_of
from sebalai_services_catalog.datasets import actions
from sebalai_services_catalog.datasets.actions import (
    DatasetChanged,
    DatasetRefused,
    DatasetStateConflict,
    DatasetUnknown,
    Writing,
)
from sebalai_services_catalog.datasets.machine import Act
from sebalai_services_catalog.datasets.metadata import Slug, Theme
from sebalai_services_catalog.datasets.queries import Filter, Wanted
from sebalai_services_catalog.datasets.schema import (
    ActRead,
    DatasetRead,
    DraftRead,
    DraftWrite,
    Reason,
)
from sebalai_services_catalog.now import Now

router = APIRouter(prefix="/v1/datasets", tags=["datasets"], route_class=Conditional)
drafts = APIRouter(prefix="/v1/datasets", tags=["datasets"])
reviews = APIRouter(prefix="/v1/dataset-reviews", tags=["datasets"])

Q_LENGTH_MAX = 100
AgencySlug = Annotated[str, Query(pattern=r"^[a-z0-9-]{1,40}$")]
Words = Annotated[
    str | None,
    Query(max_length=Q_LENGTH_MAX, pattern=r"^[^\x00]*$", description="words that must all occur"),
]


async def _wanted(
    q: Words = None, agency: AgencySlug | None = None, theme: Theme | None = None
) -> Wanted:
    filters = [Filter("organization", agency)] if agency else []
    filters += [Filter("groups", theme)] if theme else []
    return Wanted(words=tuple((q or "").split()), filters=tuple(filters))


@router.get("", responses=responses(BadCursor))
async def list_datasets(
    caller: PublicAccess,
    session: Transaction,
    wanted: Annotated[Wanted, Depends(_wanted)],
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[DatasetRead]:
    """Published datasets by slug."""
    rows = await actions.list_datasets(
        session, caller=caller, wanted=wanted, after=text_of(cursor), limit=limit
    )
    return page(rows, limit, DatasetRead.of, lambda row: [row.slug])


@router.get("/{slug}", responses=responses(DatasetUnknown))
async def read_dataset(slug: Slug, caller: PublicAccess, session: Transaction) -> DatasetRead:
    return DatasetRead.of(await actions.find_dataset(session, caller=caller, name=slug))


COMMON = responses(DatasetUnknown, DatasetRefused, DatasetStateConflict)


@drafts.get("/{slug}/draft", responses=responses(DatasetUnknown))
async def read_draft(slug: Slug, caller: IdentifiedAccess, session: Transaction) -> DraftRead:
    """The latest that was written, for its agency and the walidata."""
    return DraftRead.of(await actions.read_draft(session, caller=caller, slug=slug))


@drafts.put("/{slug}/draft", responses=COMMON | responses(DatasetChanged, FieldInvalid))
async def write_draft(
    slug: Slug, wanted: DraftWrite, caller: IdentifiedAccess, session: Transaction, clock: Now
) -> DraftRead:
    """A new dataset, or its next revision; what is published is read on meanwhile."""
    writing = Writing(wanted.agency, wanted.metadata, wanted.revision)
    return DraftRead.of(
        await actions.write_draft(session, clock, caller=caller, slug=slug, wanted=writing)
    )


@drafts.get("/{slug}/acts", responses=responses(DatasetUnknown))
async def list_acts(slug: Slug, caller: IdentifiedAccess, session: Transaction) -> list[ActRead]:
    """Who sent, rejected, published, revised or withdrew it, when and why."""
    rows = await actions.list_acts(session, caller=caller, slug=slug)
    return [ActRead.model_validate(row, from_attributes=True) for row in rows]


Move = Callable[[str, Act, str | None], Awaitable[DraftRead]]


async def _mover(caller: IdentifiedAccess, session: Transaction, clock: Now) -> Move:
    async def move(slug: str, act: Act, reason: str | None) -> DraftRead:
        row = await actions.move_dataset(
            session, clock, caller=caller, slug=slug, act=act, reason=reason
        )
        return DraftRead.of(row)

    return move


Mover = Annotated[Move, Depends(_mover)]


@drafts.post("/{slug}/submission", responses=COMMON)
async def submit_dataset(slug: Slug, move: Mover) -> DraftRead:
    """To the walidata for review."""
    return await move(slug, "submit", None)


@drafts.post("/{slug}/rejection", responses=COMMON)
async def reject_dataset(slug: Slug, wanted: Reason, move: Mover) -> DraftRead:
    """Back to its agency, with the reason."""
    return await move(slug, "reject", wanted.reason)


@drafts.post("/{slug}/publication", responses=COMMON)
async def publish_dataset(slug: Slug, move: Mover) -> DraftRead:
    """By an officer of the walidata who neither wrote nor sent it."""
    return await move(slug, "publish", None)


@drafts.post("/{slug}/withdrawal", responses=COMMON)
async def withdraw_dataset(slug: Slug, wanted: Reason, move: Mover) -> DraftRead:
    """For good: nobody reads it from now on, and its name stays taken."""
    return await move(slug, "withdraw", wanted.reason)


@reviews.get("", responses=responses(DatasetRefused))
async def list_reviews(caller: IdentifiedAccess, session: Transaction) -> list[DraftRead]:
    """What waits for the walidata, the longest first."""
    rows = await actions.list_reviews(session, caller=caller)
    return [DraftRead.of(row) for row in rows]
