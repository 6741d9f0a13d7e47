"""HTTP of acts: `GET /v1/acts`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import CursorText, Limit, Page, page

from sebalai_identity.acts import actions
from sebalai_identity.acts.actions import ActFilter
from sebalai_identity.acts.schema import ActRead
from sebalai_identity.names import TEXT_PATTERN, cursor_id

router = APIRouter(prefix="/v1/acts", tags=["acts"])

Word = Annotated[str | None, Query(min_length=1, max_length=120, pattern=TEXT_PATTERN)]


async def _filter(subject: Word = None, actor: Word = None, act: Word = None) -> ActFilter:
    return ActFilter(subject, actor, act)


@router.get("")
async def list_acts(
    response: Response,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: Annotated[ActFilter, Depends(_filter)],
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[ActRead]:
    response.headers["Cache-Control"] = "no-store"
    after: UUID | None = cursor_id(cursor)
    rows = await actions.list_acts(session, caller=caller, wanted=wanted, after=after, limit=limit)
    return page(rows, limit, lambda row: ActRead.model_validate(row, from_attributes=True), _key)


def _key(row: ActRead) -> list[UUID]:
    return [row.id]
