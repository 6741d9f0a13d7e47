"""HTTP of numbering: `/v1/number-templates`, `/v1/number-blocks`, `/v1/numbers`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent, KeyReused
from sebalai_shared.pagination import BadCursor, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_archive.numbering import actions
from sebalai_archive.numbering.actions import (
    MayNotNumber,
    NumberSettled,
    NumberUnknown,
    TemplateExists,
)
from sebalai_archive.numbering.model import Number, NumberTemplate
from sebalai_archive.numbering.schema import (
    BlockCreate,
    BlockRead,
    Book,
    NumberRead,
    NumberVoid,
    TemplateCreate,
    TemplateRead,
)
from sebalai_archive.paging import AfterId, AfterPosition

router = APIRouter(prefix="/v1", tags=["numbering"])


def _template(row: NumberTemplate) -> TemplateRead:
    return TemplateRead.model_validate(row, from_attributes=True)


def _number(row: Number) -> NumberRead:
    return NumberRead.model_validate(row, from_attributes=True)


@router.post(
    "/number-templates",
    status_code=201,
    responses=responses(MayNotNumber, FieldInvalid, TemplateExists, KeyReused),
)
async def add_template(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: TemplateCreate,
) -> TemplateRead:
    """From `valid_from` on, letters of this type are numbered like this."""

    async def make() -> TemplateRead:
        clock = request.app.state.clock
        return _template(await actions.add_template(session, clock, caller=caller, wanted=wanted))

    return await once.answer(session, TemplateRead, make)


@router.get("/number-templates", responses=responses(BadCursor))
async def list_templates(
    caller: IdentifiedAccess, session: Transaction, after: AfterId, limit: Limit = 20
) -> Page[TemplateRead]:
    rows = await actions.list_templates(session, caller=caller, after=after, limit=limit)
    return page(rows, limit, _template, lambda row: [row.id])


@router.post("/number-blocks", status_code=201, responses=responses(MayNotNumber, KeyReused))
async def reserve_block(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: BlockCreate,
) -> BlockRead:
    """Sets numbers aside for days without the platform; what is not used is made void later."""
    clock = request.app.state.clock
    return await once.answer(
        session,
        BlockRead,
        lambda: actions.reserve_block(session, clock, caller=caller, wanted=wanted),
    )


@router.get("/numbers", responses=responses(BadCursor))
async def list_numbers(
    caller: IdentifiedAccess,
    session: Transaction,
    book: Annotated[Book, Query()],
    year: Annotated[int, Query(ge=1945, le=9999)],
    after: AfterPosition,
    limit: Limit = 20,
) -> Page[NumberRead]:
    """The register of a book: every number and what became of it."""
    rows = await actions.list_numbers(
        session, caller=caller, book=book, year=year, after=after, limit=limit
    )
    return page(rows, limit, _number, lambda row: [row.n])


@router.post(
    "/numbers/{number_id}/void",
    responses=responses(MayNotNumber, NumberUnknown, NumberSettled),
)
async def void_number(
    request: Request,
    number_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: NumberVoid,
) -> NumberRead:
    """For a number set aside in a block that nobody used."""
    number = await actions.void_number(
        session, request.app.state.clock, caller=caller, number_id=number_id, reason=wanted.reason
    )
    return _number(number)
