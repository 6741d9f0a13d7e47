"""HTTP of postings and delegations: `/v1/postings`, `/v1/delegations`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.pagination import CursorText, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_identity.desk import AtDesk
from sebalai_identity.names import cursor_id
from sebalai_identity.persons.actions import PeopleOnly, PersonUnknown
from sebalai_identity.positions.actions import PositionUnknown
from sebalai_identity.postings import actions
from sebalai_identity.postings.actions import (
    DelegationFilter,
    DelegationUnknown,
    PostingFilter,
    PostingUnknown,
    PostTaken,
)
from sebalai_identity.postings.model import Delegation, Posting
from sebalai_identity.postings.schema import (
    DelegationRead,
    DelegationRecord,
    PostingRead,
    PostingRecord,
)
from sebalai_identity.wording import Ending, Instant

router = APIRouter(prefix="/v1", tags=["postings"])


async def _postings(
    person_id: UUID | None = None, position_id: UUID | None = None, at: Instant | None = None
) -> PostingFilter:
    return PostingFilter(person_id, position_id, at)


async def _delegations(
    from_posting_id: UUID | None = None,
    to_posting_id: UUID | None = None,
    at: Instant | None = None,
) -> DelegationFilter:
    return DelegationFilter(from_posting_id, to_posting_id, at)


def _posting(row: Posting) -> PostingRead:
    return PostingRead.model_validate(row, from_attributes=True)


def _delegation(row: Delegation) -> DelegationRead:
    return DelegationRead.model_validate(row, from_attributes=True)


@router.post(
    "/postings",
    status_code=201,
    responses=responses(PeopleOnly, PersonUnknown, PositionUnknown, PostTaken, FieldInvalid),
)
async def record_posting(
    desk: AtDesk, session: Transaction, once: Idempotent, wanted: PostingRecord
) -> PostingRead:
    async def make() -> PostingRead:
        return _posting(await actions.record_posting(session, desk, wanted=wanted))

    return await once.answer(session, PostingRead, make)


@router.get("/postings")
async def list_postings(
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: Annotated[PostingFilter, Depends(_postings)],
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[PostingRead]:
    rows = await actions.list_postings(
        session, caller=caller, wanted=wanted, after=cursor_id(cursor), limit=limit
    )
    return page(rows, limit, _posting, lambda row: [row.id])


@router.get("/postings/{posting_id}", responses=responses(PostingUnknown))
async def read_posting(
    posting_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> PostingRead:
    return _posting(await actions.show_posting(session, caller=caller, posting_id=posting_id))


@router.post(
    "/postings/{posting_id}/end", responses=responses(PeopleOnly, PostingUnknown, FieldInvalid)
)
async def end_posting(
    posting_id: UUID, desk: AtDesk, session: Transaction, wanted: Ending
) -> PostingRead:
    row = await actions.end_posting(session, desk, posting_id=posting_id, ending=wanted)
    return _posting(row)


@router.post(
    "/delegations",
    status_code=201,
    responses=responses(PeopleOnly, PostingUnknown, DelegationUnknown, FieldInvalid),
)
async def record_delegation(
    desk: AtDesk, session: Transaction, once: Idempotent, wanted: DelegationRecord
) -> DelegationRead:
    async def make() -> DelegationRead:
        return _delegation(await actions.record_delegation(session, desk, wanted=wanted))

    return await once.answer(session, DelegationRead, make)


@router.get("/delegations")
async def list_delegations(
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: Annotated[DelegationFilter, Depends(_delegations)],
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[DelegationRead]:
    rows = await actions.list_delegations(
        session, caller=caller, wanted=wanted, after=cursor_id(cursor), limit=limit
    )
    return page(rows, limit, _delegation, lambda row: [row.id])


@router.post(
    "/delegations/{delegation_id}/end",
    responses=responses(PeopleOnly, DelegationUnknown, FieldInvalid),
)
async def end_delegation(
    delegation_id: UUID, desk: AtDesk, session: Transaction, wanted: Ending
) -> DelegationRead:
    row = await actions.end_delegation(session, desk, delegation_id=delegation_id, ending=wanted)
    return _delegation(row)
