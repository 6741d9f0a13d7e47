"""HTTP of agreements: `/v1/agreements`."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.clock import Clock
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, decode_cursor, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_exchange.agreements import actions
from sebalai_exchange.agreements.access import Step
from sebalai_exchange.agreements.actions import (
    AgreementFilter,
    AgreementUnknown,
    AlreadyApproved,
    NotAParty,
    OwnRequest,
    StepNotYours,
    StepWanted,
    WrongState,
)
from sebalai_exchange.agreements.categories import CATEGORIES
from sebalai_exchange.agreements.model import Agreement
from sebalai_exchange.agreements.schema import (
    AgreementRead,
    AgreementRequest,
    DataCategoryList,
    DataCategoryRead,
    State,
    StepReason,
    Terms,
)
from sebalai_exchange.agreements.steps import approvals_needed, state_at
from sebalai_exchange.given import Asked, Given
from sebalai_exchange.inputs import INPUT
from sebalai_exchange.names import NAME_LENGTH_MAX
from sebalai_exchange.telling import Told

router = APIRouter(
    prefix="/v1/agreements", tags=["agreements"], responses=INPUT, dependencies=[Told]
)
categories_router = APIRouter(prefix="/v1/data-categories", tags=["agreements"], responses=INPUT)

Name = Annotated[str | None, Query(max_length=NAME_LENGTH_MAX)]
_STEP_PROBLEMS = responses(AgreementUnknown, StepNotYours, WrongState)
_GRANT_PROBLEMS = responses(AgreementUnknown, OwnRequest, AlreadyApproved, WrongState)


async def _filter(
    state: State | None = None,
    interface: Name = None,
    consumer: Name = None,
    series: UUID | None = None,
) -> AgreementFilter:
    return AgreementFilter(state, interface, consumer, series)


def _read(agreement: Agreement, clock: Clock) -> AgreementRead:
    needed = approvals_needed(agreement.data_categories)
    fields: dict[str, Any] = {
        name: getattr(agreement, name, None) for name in AgreementRead.model_fields
    }
    fields |= {"state": state_at(agreement, clock.now()), "approvals_needed": needed}
    return AgreementRead(**fields)


@router.post("", status_code=201, responses=responses(NotAParty, FieldInvalid, WrongState))
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


@router.post(
    "/{agreement_id}/amend",
    status_code=201,
    responses=responses(AgreementUnknown, NotAParty, FieldInvalid, WrongState),
)
async def amend_agreement(
    given: Asked, agreement_id: UUID, once: Idempotent, wanted: Terms
) -> AgreementRead:
    """New terms as the next version; those in force stay until the other side grants it."""

    async def make() -> AgreementRead:
        made = await actions.amend_agreement(
            given.session,
            given.clock,
            caller=given.caller,
            agreement_id=agreement_id,
            wanted=wanted,
        )
        return _read(made, given.clock)

    answer = await once.answer(given.session, AgreementRead, make)
    given.response.headers["Location"] = f"/v1/agreements/{answer.id}"
    return answer


@router.post("/{agreement_id}/grant", responses=_GRANT_PROBLEMS)
async def grant_agreement(given: Asked, agreement_id: UUID) -> AgreementRead:
    """For specific personal data the first call approves and a second, by another, grants."""
    return await _take(given, StepWanted("grant", agreement_id))


def _add_step(step: Step, told: str) -> None:
    """One route for each step that needs a reason."""

    async def take(given: Asked, agreement_id: UUID, why: StepReason) -> AgreementRead:
        return await _take(given, StepWanted(step, agreement_id, why.reason))

    router.add_api_route(
        f"/{{agreement_id}}/{step}",
        take,
        methods=["POST"],
        name=f"{step}_agreement",
        description=told,
        responses=_STEP_PROBLEMS,
    )


_add_step("suspend", "Stops calls within two seconds, until resumed.")
_add_step("resume", "Lets calls through again.")
_add_step("revoke", "Ends it for good; also how a request is withdrawn or declined.")


async def _take(given: Given, step: StepWanted) -> AgreementRead:
    taken = await actions.take_step(given.session, given.clock, caller=given.caller, wanted=step)
    return _read(taken, given.clock)


@categories_router.get("")
async def list_data_categories(_caller: PublicAccess) -> DataCategoryList:
    """The kinds of personal data; those that are specific need two approvals."""
    return DataCategoryList(
        items=[DataCategoryRead(**vars(category)) for category in CATEGORIES.values()]
    )
