"""Decisions about requests: see, file, move along, decide, appeal."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.problems import Conflict, FieldInvalid
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.deltas import Changed, changed
from sebalai_services_catalog.requests import filing, paying, schema, store, tasks
from sebalai_services_catalog.requests.access import is_applicant, may_see
from sebalai_services_catalog.requests.filing import AnswersLocked, DocumentRefused, standard_of
from sebalai_services_catalog.requests.machine import Act
from sebalai_services_catalog.requests.measures import Held, Volume, held_times, volumes
from sebalai_services_catalog.requests.model import RequestTask, ServiceRequest
from sebalai_services_catalog.requests.once_only import (
    Asking,
    Found,
    NothingToAsk,
    Wanted,
    answer_with_evidence,
    ask_evidence,
    evidence_wanted,
)
from sebalai_services_catalog.requests.steps import (
    Hand,
    RequestMovedOn,
    RequestUnknown,
    Step,
    StepImpossible,
    StepRefused,
    check_step,
    take_in_hand,
    take_step,
)
from sebalai_services_catalog.requests.store import RequestFilter
from sebalai_services_catalog.requests.tickets import new_ticket, read_ticket
from sebalai_services_catalog.requests.windows import opened

__all__ = [
    "AnswersLocked",
    "Asking",
    "DocumentRefused",
    "Found",
    "Held",
    "NothingToAsk",
    "RequestFilter",
    "RequestMovedOn",
    "RequestUnknown",
    "ServiceRequest",
    "StepImpossible",
    "StepRefused",
    "Volume",
    "Wanted",
    "answer_with_evidence",
    "ask_evidence",
    "evidence_wanted",
    "held_times",
    "is_applicant",
    "new_ticket",
    "read_ticket",
    "volumes",
]

TURN: dict[str, str] = {
    "verify": "front_office",
    "accept": "front_office",
    "return": "front_office",
    "hand_over": "front_office",
    "issue": "signer",
    "refuse": "signer",
    "uphold": "superior",
    "overturn": "superior",
}
"""Acts that belong to a task: when another has claimed it, the caller is told so."""


class TicketUnknown(RequestUnknown):
    slug, title = "ticket-unknown", "There is no request with this ticket number"


class WorkLeft(Conflict):
    slug, title = "request-work-left", "Officers still have tasks in this request"


class AppealTooLate(Conflict):
    slug, title = "appeal-too-late", "The last day of the appeal is past"


async def list_requests(
    session: AsyncSession, *, caller: Caller, wanted: RequestFilter, after: UUID | None, limit: int
) -> Sequence[ServiceRequest]:
    return await store.page(session, caller, wanted, after, limit)


async def changed_requests(
    session: AsyncSession, *, caller: Caller, page: tuple[str | None, int]
) -> Changed:
    """What the caller filed, by its last change. Raises: BadCursor."""
    query = store.visible_to(caller).where(ServiceRequest.applicant == caller.party)
    return await changed(session, query, ServiceRequest.id, page)


async def find_request(
    session: AsyncSession, *, caller: Caller, key: UUID
) -> tuple[ServiceRequest, Sequence[RequestTask]]:
    """Raises: RequestUnknown."""
    row = await store.find(session, caller, key)
    found = await store.tasks(session, key) if row else []
    if row is None or not may_see(caller, row, {task.agency for task in found}):
        raise RequestUnknown("Look at GET /v1/requests.")
    return row, found


async def find_requests(
    session: AsyncSession, *, caller: Caller, keys: Sequence[UUID]
) -> dict[UUID, tuple[ServiceRequest, list[RequestTask]]]:
    """Those there are that the caller may see, each with its tasks."""
    rows = await store.by_ids(session, caller, keys)
    found = {row.id: (row, list[RequestTask]()) for row in rows}
    for task in await store.tasks_of(session, list(found)):
        found[task.request_id][1].append(task)
    return {
        key: (row, mine)
        for key, (row, mine) in found.items()
        if may_see(caller, row, {task.agency for task in mine})
    }


async def find_by_ticket(session: AsyncSession, *, ticket: str) -> ServiceRequest:
    """Raises: TicketUnknown."""
    number = read_ticket(ticket)
    row = await store.by_ticket(session, number) if number else None
    if row is None:
        raise TicketUnknown("Check the number on the receipt.")
    return row


async def act_on(
    session: AsyncSession, clock: Clock, *, caller: Caller, key: UUID, wanted: schema.ActWrite
) -> Hand:
    """Takes one step. Raises: RequestUnknown, RequestMovedOn (by whom and when), StepImpossible,
    StepRefused, TaskTaken, and what the act itself asks for.
    """
    hand = await take_in_hand(session, clock, caller=caller, key=key, revision=wanted.revision)
    if wanted.act in TURN:
        check_step(hand, wanted.act)
        await tasks.check_turn(session, hand.row, caller, TURN[wanted.act])
    await HANDLERS[wanted.act](session, hand, wanted)
    return hand


async def _plain(session: AsyncSession, hand: Hand, wanted: schema.Plain) -> None:
    await take_step(session, hand, Step(wanted.act))


async def _submit(session: AsyncSession, hand: Hand, _: schema.Plain) -> None:
    check_step(hand, "submit")
    await filing.submit(session, hand, await standard_of(session, hand.row))


async def _resubmit(session: AsyncSession, hand: Hand, _: schema.Plain) -> None:
    check_step(hand, "resubmit")
    await filing.resubmit(session, hand)


async def _discard(session: AsyncSession, hand: Hand, _: schema.Plain) -> None:
    check_step(hand, "discard")
    await filing.discard(session, hand)


async def _accept(session: AsyncSession, hand: Hand, wanted: schema.Accept) -> None:
    """Complete: to the officers, or first to payment where the standard asks a fee."""
    standard = await standard_of(session, hand.row)
    fee = paying.fee_due(standard.fee, hand.row, wanted.fee)
    if fee is None:
        await take_step(session, hand, Step("accept"))
    else:
        await paying.bill(session, hand, fee)


async def _return(session: AsyncSession, hand: Hand, wanted: schema.Return) -> None:
    standard = await standard_of(session, hand.row)
    codes = {requirement.code for requirement in standard.requirements or []}
    for place, mark in enumerate(wanted.marks):
        if mark.code not in codes:
            raise FieldInvalid(f"/marks/{place}/code", "The service asks for no such thing.")
    columns: dict[str, Any] = {
        "marks": [mark.model_dump() for mark in wanted.marks],
        "reason": wanted.reason,
        **opened(hand.known, hand.row.agency, "reply_by", hand.at, wanted.working_days),
    }
    detail = {"marked": [mark.code for mark in wanted.marks]}
    await take_step(session, hand, Step("return", wanted.reason, detail, columns))


async def _hand_over(session: AsyncSession, hand: Hand, wanted: schema.HandOver) -> None:
    columns = {"reason": wanted.reason, "handed_to": wanted.to}
    detail = {"to": wanted.to}
    await take_step(session, hand, Step("hand_over", wanted.reason, detail, columns))


async def _complete_task(session: AsyncSession, hand: Hand, wanted: schema.CompleteTask) -> None:
    task = await store.find_task(session, wanted.task)
    if task is None or task.request_id != hand.row.id or task.role != "officer":
        raise tasks.TaskUnknown("Look at the request's tasks.")
    check_step(hand, "complete_task", task.agency)
    if task.state == "claimed":
        await tasks.check_turn(session, hand.row, hand.caller, "officer")
    elif task.state != "open":
        raise tasks.TaskTaken(f"The task is {task.state}.", state=task.state, by=task.done_by)
    done = Step(
        "complete_task", wanted.reason, {"task": str(task.id), "what": task.what},
        task_agency=task.agency,
    )  # fmt: skip
    await take_step(session, hand, done)
    await tasks.finish_task(session, hand.row, task, (str(hand.caller.subject), hand.at))


async def _issue(session: AsyncSession, hand: Hand, wanted: schema.Issue) -> None:
    left = await tasks.check_all_done(session, hand.row)
    if left:
        raise WorkLeft("Finish the tasks first.", tasks=left)
    product = {
        "number": wanted.number,
        "record_id": str(wanted.record_id) if wanted.record_id else None,
        "sha256": wanted.sha256,
        "issued_at": hand.at.isoformat(),
    }
    columns = {"product": product, "reason": wanted.reason}
    await take_step(session, hand, Step("issue", wanted.reason, product, columns))


async def _refuse(session: AsyncSession, hand: Hand, wanted: schema.Refuse) -> None:
    """With reason, legal basis, and the last day of the appeal as the standard says."""
    complaints = (await standard_of(session, hand.row)).complaints
    columns: dict[str, Any] = {
        "reason": wanted.reason,
        "legal_basis": wanted.legal_basis,
        "refused_by": hand.caller.subject,
    }
    if complaints is not None:
        days = complaints.appeal_working_days
        columns |= opened(hand.known, hand.row.agency, "appeal_until", hand.at, days)
    detail = {"legal_basis": wanted.legal_basis}
    await take_step(session, hand, Step("refuse", wanted.reason, detail, columns))


APPEAL_DECIDED_WORKING_DAYS = 10
"""UU 30/2014 art. 77(4): the official decides an objection within ten working days."""


async def _appeal(session: AsyncSession, hand: Hand, wanted: schema.Reasoned) -> None:
    check_step(hand, "appeal")
    until = hand.row.appeal_until
    if until is not None and hand.at >= until:
        raise AppealTooLate("The last day was the one told with the refusal.")
    days = APPEAL_DECIDED_WORKING_DAYS
    columns = opened(hand.known, hand.row.agency, "appeal_due_at", hand.at, days)
    await take_step(session, hand, Step("appeal", wanted.reason, columns=columns))


async def _reasoned(session: AsyncSession, hand: Hand, wanted: schema.Reasoned) -> None:
    columns: dict[str, Any] = {"appeal_due_at": None}
    if wanted.act == "withdraw":
        columns |= {"marks": [], "reply_by": None}
    if wanted.act == "overturn":
        columns |= {"reason": None, "legal_basis": None, "breached_at": None}
    await take_step(session, hand, Step(wanted.act, wanted.reason, columns=columns))


Handler = Callable[[AsyncSession, Hand, Any], Awaitable[None]]
HANDLERS: dict[Act, Handler] = {
    "submit": _submit,
    "verify": _plain,
    "accept": _accept,
    "resubmit": _resubmit,
    "discard": _discard,
    "return": _return,
    "hand_over": _hand_over,
    "complete_task": _complete_task,
    "issue": _issue,
    "refuse": _refuse,
    "appeal": _appeal,
    "fail_evidence": _reasoned,
    "uphold": _reasoned,
    "overturn": _reasoned,
    "withdraw": _reasoned,
}
