"""HTTP of uses: `/v1/uses`, counts for everybody; for heads, what is agreed and never used."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, decode_cursor, page
from sebalai_shared.problems import responses
from sebalai_shared.spreadsheets import sheet

from sebalai_exchange.inputs import INPUT
from sebalai_exchange.usage import counting
from sebalai_exchange.usage.counting import IdleRefused

router = APIRouter(prefix="/v1/uses", tags=["calls"], responses=INPUT)

IDLE_DAYS = 30
IDLE_DAYS_MAX = 366
SHEET_ROWS_MAX = 5_000
SHEET: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}}}

Days = Annotated[int, Query(ge=0, le=IDLE_DAYS_MAX, description="unused for so many days")]


class UseRead(BaseModel):
    """`calls` that were answered in the last 30 days, and by how many they were made."""

    model_config = ConfigDict(from_attributes=True)

    interface: str
    calls: int
    consumers: int
    agencies: int
    last_day: date


class IdleRead(BaseModel):
    """An agreement in force; `last_day` (UTC) null when it was never used."""

    model_config = ConfigDict(from_attributes=True)

    agency: str
    consumer: str
    interface: str
    id: UUID
    granted_at: datetime
    valid_until: datetime
    last_day: date | None


@router.get("", responses=responses(BadCursor))
async def list_uses(
    request: Request,
    caller: PublicAccess,  # noqa: ARG001 - public: counts name nobody
    session: Transaction,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[UseRead]:
    """Interfaces that were called in the last 30 days, by name."""
    key = decode_cursor(cursor, 1)
    after = str(key[0]) if key else None
    rows = await counting.uses(session, request.app.state.clock, after=after, limit=limit)
    return page(rows, limit, UseRead.model_validate, lambda row: [row.interface])


@router.get("/idle-agreements", responses=responses(IdleRefused, BadCursor))
async def list_idle_agreements(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    days: Days = IDLE_DAYS,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[IdleRead]:
    """What agencies may call and do not: scope `catalog.decide` all, `exchange.manage` its own."""
    rows = await counting.idle_agreements(
        session, request.app.state.clock, caller=caller, days=days, span=(_after(cursor), limit)
    )
    return page(rows, limit, IdleRead.model_validate, lambda row: [row.id])


@router.get(
    "/idle-agreements.csv", response_class=Response, responses=responses(IdleRefused) | SHEET
)
async def read_idle_csv(
    request: Request, caller: IdentifiedAccess, session: Transaction, days: Days = IDLE_DAYS
) -> Response:
    """The same for a spreadsheet, at most 5,000 rows; no cell begins like a formula."""
    rows = await counting.idle_agreements(
        session, request.app.state.clock, caller=caller, days=days, span=(None, SHEET_ROWS_MAX)
    )
    read = (IdleRead.model_validate(row).model_dump() for row in rows[:SHEET_ROWS_MAX])
    text = sheet(list(IdleRead.model_fields), read)
    return Response(text, media_type="text/csv; charset=utf-8")


def _after(cursor: str | None) -> UUID | None:
    key = decode_cursor(cursor, 1)
    try:
        return UUID(str(key[0])) if key else None
    except ValueError as error:
        raise BadCursor("The cursor belongs to another list.") from error
