"""HTTP of proposals and disposals: `/v1/proposals`, `/v1/disposals`."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction, row_dict
from sebalai_shared.idempotency import Idempotent, KeyReused
from sebalai_shared.pagination import BadCursor, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_archive.disposals import actions, machine, minutes, minuting
from sebalai_archive.disposals.actions import (
    DisposalBlocked,
    DisposalUnknown,
    NotYourPart,
    StepOutOfOrder,
)
from sebalai_archive.disposals.model import Disposal, Proposal
from sebalai_archive.disposals.schema import (
    DisposalOpen,
    DisposalRead,
    MinutesIssue,
    ProposalRead,
    StepDo,
)
from sebalai_archive.disposals.schema import Withdraw as WithdrawAsk
from sebalai_archive.paging import AfterId
from sebalai_archive.records.actions import MayNotWrite, RecordUnknown
from sebalai_archive.signing.signer import SigningUnavailable

router = APIRouter(prefix="/v1", tags=["disposals"])

StepPath = Annotated[machine.StepName, Path()]


def _proposal(row: Proposal) -> ProposalRead:
    return ProposalRead.model_validate(row_dict(row) | {"record": row.record_id})


@router.get("/proposals", responses=responses(BadCursor))
async def list_proposals(
    caller: IdentifiedAccess,
    session: Transaction,
    after: AfterId,
    act: Annotated[Literal["transfer", "destroy", "hand_over", "appraise"] | None, Query()] = None,
    limit: Limit = 20,
) -> Page[ProposalRead]:
    """What the daily job proposes for the caller's agency."""
    rows = await actions.list_proposals(session, caller=caller, act=act, after=after, limit=limit)
    return page(rows, limit, _proposal, lambda row: [row.record_id])


async def _read(session: Transaction, disposal: Disposal) -> DisposalRead:
    items, acts = await actions.story_of(session, disposal=disposal)
    due = machine.next_step(disposal.kind, disposal.state)
    names = ("proposer", "reviewer", "approver", "executor", *actions.WITNESSES)
    return DisposalRead.model_validate(
        row_dict(disposal)
        | {
            "people": {name: getattr(disposal, name) for name in names},
            "records": [one.record_id for one in items],
            "acts": [row_dict(act) for act in acts],
            "minutes": await actions.minutes_of(session, disposal=disposal),
            "next": due and {"step": due.name, "part": due.part, "slots": sorted(due.slots)},
        }
    )


@router.post(
    "/disposals",
    status_code=201,
    responses=responses(MayNotWrite, RecordUnknown, DisposalBlocked, FieldInvalid, KeyReused),
)
async def open_disposal(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: DisposalOpen,
) -> DisposalRead:
    async def make() -> DisposalRead:
        clock = request.app.state.clock
        return await _read(
            session, await actions.open_disposal(session, clock, caller=caller, wanted=wanted)
        )

    return await once.answer(session, DisposalRead, make)


@router.get("/disposals/{disposal_id}", responses=responses(DisposalUnknown))
async def read_disposal(
    disposal_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> DisposalRead:
    found = await actions.find_disposal(session, caller=caller, disposal_id=disposal_id)
    return await _read(session, found)


@router.put(
    "/disposals/{disposal_id}/steps/{step}",
    responses=responses(
        DisposalUnknown, NotYourPart, StepOutOfOrder, DisposalBlocked, FieldInvalid
    ),
)
async def do_step(
    request: Request,
    disposal_id: UUID,
    step: StepPath,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: StepDo,
) -> DisposalRead:
    """The next step of the disposal, by the person it belongs to."""
    clock = request.app.state.clock
    done = await actions.do_step(
        session, clock, caller=caller, disposal_id=disposal_id, step=(step, wanted)
    )
    return await _read(session, done)


@router.put(
    "/disposals/{disposal_id}/presence",
    responses=responses(DisposalUnknown, NotYourPart, StepOutOfOrder),
)
async def witness(
    request: Request, disposal_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> DisposalRead:
    """A named witness says that it is present."""
    clock = request.app.state.clock
    seen = await actions.witness(session, clock, caller=caller, disposal_id=disposal_id)
    return await _read(session, seen)


@router.put(
    "/disposals/{disposal_id}/withdrawal",
    responses=responses(DisposalUnknown, NotYourPart, StepOutOfOrder),
)
async def withdraw(
    request: Request,
    disposal_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: WithdrawAsk,
) -> DisposalRead:
    clock = request.app.state.clock
    given_up = await actions.withdraw(
        session, clock, caller=caller, disposal_id=disposal_id, reason=wanted.reason
    )
    return await _read(session, given_up)


@router.put(
    "/disposals/{disposal_id}/minutes",
    responses=responses(DisposalUnknown, NotYourPart, StepOutOfOrder, SigningUnavailable),
)
async def issue_minutes(
    request: Request, disposal_id: UUID, caller: IdentifiedAccess, wanted: MinutesIssue
) -> DisposalRead:
    """The minutes as signed PDF/A, filed as a record; `minutes` names it. By the executor."""
    state = request.app.state
    desk = minuting.Desk(state.database, state.clock, state.content, state.signer)
    issued = await minuting.issue_minutes(
        desk, caller=caller, disposal_id=disposal_id, wanted=wanted
    )
    async with desk.database.transaction() as session:
        return await _read(session, issued)


@router.get(
    "/disposals/{disposal_id}/minutes",
    response_class=Response,
    responses=responses(DisposalUnknown, StepOutOfOrder),
)
async def read_minutes(
    disposal_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> Response:
    """The minutes as text, to be signed and filed as the evidence `berita_acara`."""
    found = await actions.find_disposal(session, caller=caller, disposal_id=disposal_id)
    if found.executed_at is None:
        raise StepOutOfOrder("There are no minutes before the execution.")
    items, acts = await actions.story_of(session, disposal=found)
    return Response(minutes.minutes_of(found, items, acts), media_type="text/plain; charset=utf-8")
