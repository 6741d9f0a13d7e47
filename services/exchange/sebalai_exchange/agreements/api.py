"""HTTP of agreements: `/v1/agreements`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.clock import Clock
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, decode_cursor, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_exchange.agreements import actions
from sebalai_exchange.agreements.actions import (
    AgreementFilter,
    AgreementUnknown,
    NotTheConsumer,
    OwnRequest,
    StepWanted,
    WrongState,
)
from sebalai_exchange.agreements.model import Agreement
from sebalai_exchange.agreements.schema import AgreementRead, AgreementRequest, State, StepReason
from sebalai_exchange.names import NAME_LENGTH_MAX

router = APIRouter(prefix="/v1/agreements", tags=["agreements"])

Name = Annotated[str | None, Query(max_length=NAME_LENGTH_MAX)]
_STEP_PROBLEMS = responses(AgreementUnknown, OwnRequest, WrongState)


def _filter(
    state: State | None = None, interface: Name = None, consumer: Name = None
) -> AgreementFilter:
    return AgreementFilter(state, interface, consumer)


def _read(agreement: Agreement, clock: Clock) -> AgreementRead:
    fields = {name: getattr(agreement, name) for name in AgreementRead.model_fields}
    fields["state"] = actions.state_at(agreement, clock.now())
    return AgreementRead(**fields)


@router.post("", status_code=201, responses=responses(NotTheConsumer, FieldInvalid, WrongState))
async def request_agreement(
    request: Request,
    response: Response,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: AgreementRequest,
) -> AgreementRead:
    clock: Clock = request.app.state.clock

    async def make() -> AgreementRead:
        made = await actions.request_agreement(session, clock, caller=caller, wanted=wanted)
        return _read(made, clock)

    answer = await once.answer(session, AgreementRead, make)
    response.headers["Location"] = f"/v1/agreements/{answer.id}"
    return answer


@router.get("")
async def list_agreements(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: Annotated[AgreementFilter, Depends(_filter)],
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[AgreementRead]:
    clock: Clock = request.app.state.clock
    rows = await actions.list_agreements(
        session, clock, caller=caller, wanted=wanted, span=(_before(cursor), limit)
    )
    return page(rows, limit, lambda row: _read(row, clock), lambda row: [row.id])


def _before(cursor: str | None) -> UUID | None:
    key = decode_cursor(cursor, 1)
    try:
        return UUID(str(key[0])) if key else None
    except ValueError as error:
        raise BadCursor("The cursor belongs to another list.") from error


@router.get("/{agreement_id}", responses=responses(AgreementUnknown))
async def read_agreement(
    request: Request, agreement_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> AgreementRead:
    found = await actions.find_agreement(session, caller=caller, agreement_id=agreement_id)
    return _read(found, request.app.state.clock)


@router.post("/{agreement_id}/grant", responses=_STEP_PROBLEMS)
async def grant_agreement(
    request: Request, agreement_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> AgreementRead:
    clock: Clock = request.app.state.clock
    step = StepWanted("grant", agreement_id)
    return _read(await actions.take_step(session, clock, caller=caller, wanted=step), clock)


@router.post("/{agreement_id}/suspend", responses=_STEP_PROBLEMS)
async def suspend_agreement(
    request: Request,
    agreement_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    why: StepReason,
) -> AgreementRead:
    clock: Clock = request.app.state.clock
    step = StepWanted("suspend", agreement_id, why.reason)
    return _read(await actions.take_step(session, clock, caller=caller, wanted=step), clock)


@router.post("/{agreement_id}/resume", responses=_STEP_PROBLEMS)
async def resume_agreement(
    request: Request,
    agreement_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    why: StepReason,
) -> AgreementRead:
    clock: Clock = request.app.state.clock
    step = StepWanted("resume", agreement_id, why.reason)
    return _read(await actions.take_step(session, clock, caller=caller, wanted=step), clock)


@router.post("/{agreement_id}/revoke", responses=_STEP_PROBLEMS)
async def revoke_agreement(
    request: Request,
    agreement_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    why: StepReason,
) -> AgreementRead:
    clock: Clock = request.app.state.clock
    step = StepWanted("revoke", agreement_id, why.reason)
    return _read(await actions.take_step(session, clock, caller=caller, wanted=step), clock)
