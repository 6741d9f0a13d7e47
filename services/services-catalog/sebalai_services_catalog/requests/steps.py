"""One step of one request, whoever takes it: checked, recorded, told, its tasks kept in order."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.events import Event
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.calendar.actions import Calendars, calendars
from sebalai_services_catalog.inserts import insert
from sebalai_services_catalog.payments.actions import End, end_bill
from sebalai_services_catalog.requests import store, tasks
from sebalai_services_catalog.requests.access import may_take
from sebalai_services_catalog.requests.cases import case_of, on_time, write_case
from sebalai_services_catalog.requests.events import RequestMoved, fact, type_of
from sebalai_services_catalog.requests.machine import (
    Act,
    Done,
    NoSuchStep,
    Role,
    possible,
    role_of,
    step,
)
from sebalai_services_catalog.requests.model import RequestAct, ServiceRequest

PLATFORM = "platform"
BILL_ENDS: dict[Act, End] = {"withdraw": "cancel", "lapse": "expire"}
"""What becomes of a bill that is still open when its request goes away."""


class RequestUnknown(NotFound):
    slug, title = "request-unknown", "There is no such request, or it is not yours to see"


class RequestMovedOn(Conflict):
    slug, title = "request-moved-on", "Somebody else moved the request meanwhile"


class StepImpossible(Conflict):
    slug, title = "request-step-impossible", "The request's state does not allow this"


class StepRefused(Forbidden):
    slug, title = "request-step-refused", "This caller may not take this step"


@dataclass(frozen=True, slots=True)
class Step:
    """`columns` are written with the step; `detail` is kept in the history, without answers."""

    act: Act
    reason: str | None = None
    detail: dict[str, Any] = field(default_factory=dict[str, Any])
    columns: dict[str, Any] = field(default_factory=dict[str, Any])
    task_agency: str | None = None


@dataclass(frozen=True, slots=True)
class Hand:
    """A request in hand: the locked row, the calendars, who acts, and when."""

    row: ServiceRequest
    known: Calendars
    caller: Caller
    at: datetime


async def take_in_hand(
    session: AsyncSession, clock: Clock, *, caller: Caller, key: UUID, revision: int | None
) -> Hand:
    """Locks the request. Raises: RequestUnknown; RequestMovedOn, telling by whom and when."""
    row = await store.hold(session, caller, key)
    if row is None:
        raise RequestUnknown("Look at GET /v1/requests.")
    if revision is not None and row.revision != revision:
        raise RequestMovedOn(
            f"{row.last_actor or row.applicant} moved it; it is {row.state} now. Read it again.",
            **moved_by(row),
        )
    return Hand(row, await calendars(session), caller, clock.now())


def moved_by(row: ServiceRequest) -> dict[str, Any]:
    return {
        "state": row.state,
        "act": row.last_act,
        "by": row.last_actor,
        "at": row.last_at.isoformat() if row.last_at else None,
        "revision": row.revision,
    }


def check_step(hand: Hand, act: Act, task_agency: str | None = None) -> Role:
    """Raises: StepImpossible with what is possible, StepRefused."""
    case = case_of(hand.row)
    try:
        role = role_of(case, act)
    except NoSuchStep as error:
        raise StepImpossible(f"{error}.", possible=possible(case), **moved_by(hand.row)) from error
    if not may_take(hand.caller, hand.row, role, task_agency):
        raise StepRefused(f"{act} is for the {role} of {task_agency or hand.row.agency}.")
    return role


async def take_step(session: AsyncSession, hand: Hand, wanted: Step) -> None:
    """As a caller. Raises: StepImpossible, StepRefused."""
    role = check_step(hand, wanted.act, wanted.task_agency)
    await _record(session, hand, wanted, (role, str(hand.caller.subject)))


async def take_platform_step(
    session: AsyncSession, clock: Clock, *, row: ServiceRequest, wanted: Step
) -> None:
    """What no person does: paid, lapsed, evidence came. `row` is locked. Raises: NoSuchStep."""
    hand = Hand(row, await calendars(session), Caller(), clock.now())
    await go_on(session, hand, wanted)


async def go_on(session: AsyncSession, hand: Hand, wanted: Step) -> None:
    """What the platform does by itself right after somebody's act. Raises: NoSuchStep."""
    role_of(case_of(hand.row), wanted.act)
    await _record(session, replace(hand, caller=Caller()), wanted, (PLATFORM, PLATFORM))


async def _record(session: AsyncSession, hand: Hand, wanted: Step, who: tuple[Role, str]) -> None:
    row, before = hand.row, hand.row.state
    act = applied(hand, wanted, who)
    await session.flush()
    await insert(session, act)
    await tasks.follow(session, row, wanted.act, (act.actor, hand.at))
    if before == "awaiting_payment" and wanted.act in BILL_ENDS:
        await end_bill(session, row.id, BILL_ENDS[wanted.act], hand.at)
    await session.flush()
    await publish(session, told(hand, wanted.act, before))


def applied(hand: Hand, wanted: Step, who: tuple[Role, str]) -> RequestAct:
    """Moves the row, unwritten; answers the act to be kept of it. Raises: NoSuchStep."""
    row, before = hand.row, hand.row.state
    role, actor = who
    case = step(case_of(row), Done(wanted.act, hand.at))
    write_case(row, case, hand.known, hand.at)
    row.window_from, row.window_days = None, None
    row.asked, row.evidence_by = None, None
    for name, value in wanted.columns.items():
        setattr(row, name, value)
    row.last_act, row.last_actor, row.last_at = wanted.act, actor, hand.at
    return RequestAct(
        id=uuid7(), request_id=row.id, number=row.acts, act=wanted.act, role=role,
        state_before=before, state_after=row.state, actor=actor,
        actor_agency=hand.caller.agency, at=hand.at, reason=wanted.reason,
        detail=wanted.detail,
    )  # fmt: skip


def told(hand: Hand, act: Act, before: str) -> Event:
    """The fact of the act just taken."""
    return fact(type_of(act), _moved(hand.row, before), hand.at)


def _moved(row: ServiceRequest, before: str) -> RequestMoved:
    return RequestMoved(
        request_id=row.id,
        service_id=row.service_id,
        service=row.service,
        service_version=row.service_version,
        agency=row.agency,
        channel=row.channel,
        state_before=before,
        state_after=row.state,
        submitted_at=row.submitted_at,
        due_at=row.due_at,
        on_time=on_time(row),
    )
