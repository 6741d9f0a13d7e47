"""The tasks of a case: which stand open after each act, who claimed one, whose turn is next.

Tasks come from the ordered steps of the service's standard: one for the front office, one for each
officer (also of another agency), one for the signer. One at a time is open.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.inserts import insert
from sebalai_services_catalog.requests import store
from sebalai_services_catalog.requests.access import is_officer_of, may_decide_for
from sebalai_services_catalog.requests.machine import CLOSED, Act
from sebalai_services_catalog.requests.model import RequestTask, ServiceRequest
from sebalai_services_catalog.services.actions import Standard, find_version

VERIFY_POSITION = 0
DECIDE_POSITION = 900
APPEAL_POSITION = 950
LEFT: frozenset[str] = frozenset({"waiting", "open", "claimed"})

Stamp = tuple[str, datetime]


class TaskUnknown(NotFound):
    slug, title = "task-unknown", "There is no such task, or it is not your agency's"


class TaskTaken(Conflict):
    slug, title = "task-taken", "Somebody else has the task"


class TaskRefused(Forbidden):
    slug, title = "task-refused", "This caller may not take the task"


async def follow(session: AsyncSession, row: ServiceRequest, act: Act, stamp: Stamp) -> None:
    """Keeps the tasks in step with the act just taken."""
    if act in ("submit", "resubmit"):
        await insert(session, first_task(row))
        return
    rows = list(await store.tasks(session, row.id))
    if act in ("accept", "bill"):
        _finish(rows, "front_office", stamp)
        rows = await _plan(session, row, rows)
        if act == "accept":
            _open_next(rows)
    elif act == "pay":
        _open_next(rows)
    elif act == "return":
        _finish(rows, "front_office", stamp)
        _rest(rows)
    elif act == "appeal":
        _add(session, row, (APPEAL_POSITION, "superior", row.agency, "Memutus keberatan"))
    elif act in ("uphold", "overturn"):
        _finish(rows, "superior", stamp)
        await _reopen(session, row, rows, act)
    elif row.state in CLOSED:
        _close(rows, act, stamp)


async def claim_task(
    session: AsyncSession, clock: Clock, *, caller: Caller, key: UUID
) -> tuple[RequestTask, ServiceRequest]:
    """Takes the task for the caller; claiming one's own again changes nothing.

    Raises: TaskUnknown, TaskRefused, TaskTaken telling by whom and since when.
    """
    task, row = await _held(session, caller, key)
    if task.state == "open":
        task.state, task.claimed_by, task.claimed_at = "claimed", caller.subject, clock.now()
        await session.flush()
    _check_own(task, caller)
    return task, row


async def release_task(
    session: AsyncSession, *, caller: Caller, key: UUID
) -> tuple[RequestTask, ServiceRequest]:
    """Back to the team's queue; a superior (`catalog.decide`) may release another's.

    Raises: TaskUnknown, TaskRefused, TaskTaken.
    """
    task, row = await _held(session, caller, key)
    if task.claimed_by != caller.subject and not may_decide_for(caller, task.agency):
        _check_own(task, caller)
    if task.state == "claimed":
        task.state, task.claimed_by, task.claimed_at = "open", None, None
        await session.flush()
    return task, row


async def check_turn(session: AsyncSession, row: ServiceRequest, caller: Caller, role: str) -> None:
    """Who acts on a task that another has claimed is told so. Raises: TaskTaken."""
    for task in await store.tasks(session, row.id):
        if task.role == role and task.state == "claimed":
            _check_own(task, caller)


async def check_all_done(session: AsyncSession, row: ServiceRequest) -> list[str]:
    """What officers still have to do before the signer decides."""
    left = await store.tasks(session, row.id)
    return [task.what for task in left if task.role == "officer" and task.state in LEFT]


async def finish_task(
    session: AsyncSession, row: ServiceRequest, task: RequestTask, stamp: Stamp
) -> None:
    """The task is done and the next one's turn comes."""
    _done(task, stamp)
    _open_next(await store.tasks(session, row.id))
    await session.flush()


def _check_own(task: RequestTask, caller: Caller) -> None:
    if task.state != "claimed" or task.claimed_by != caller.subject:
        since = task.claimed_at or task.done_at
        raise TaskTaken(
            f"The task is {task.state}, by {task.claimed_by or task.done_by}.",
            by=task.claimed_by or task.done_by,
            at=since.isoformat() if since else None,
            state=task.state,
        )


async def _held(
    session: AsyncSession, caller: Caller, key: UUID
) -> tuple[RequestTask, ServiceRequest]:
    task = await store.find_task(session, key)
    row = await store.hold(session, caller, task.request_id) if task else None
    if task is None or row is None or not is_officer_of(caller, task.agency):
        raise TaskUnknown("Look at GET /v1/tasks.")
    await session.refresh(task)
    if task.role in ("signer", "superior") and not may_decide_for(caller, task.agency):
        raise TaskRefused("This task decides; it needs scope catalog.decide.")
    return task, row


async def _plan(
    session: AsyncSession, row: ServiceRequest, rows: Sequence[RequestTask]
) -> list[RequestTask]:
    """Tasks of the standard's steps, once; a file that comes back keeps what was done."""
    if any(task.role in ("officer", "signer") for task in rows):
        return list(rows)
    _, version = await find_version(session, slug=row.service, version=row.service_version)
    standard = Standard.model_validate(version.standard)
    made = list(rows)
    for place, one in enumerate(standard.procedure or [], 1):
        if one.role in ("officer", "other_agency"):
            what = (place, "officer", one.agency or row.agency, one.what.id)
            made.append(_add(session, row, what, "waiting"))
    decide = (DECIDE_POSITION, "signer", row.agency, "Memutus permohonan")
    made.append(_add(session, row, decide, "waiting"))
    return made


def first_task(row: ServiceRequest) -> RequestTask:
    """What a file that was just filed waits for; unwritten."""
    return _task(row, (VERIFY_POSITION, "front_office", row.agency, "Memeriksa kelengkapan"))


def _add(
    session: AsyncSession, row: ServiceRequest, what: tuple[int, str, str, str], state: str = "open"
) -> RequestTask:
    task = _task(row, what, state)
    session.add(task)
    return task


def _task(row: ServiceRequest, what: tuple[int, str, str, str], state: str = "open") -> RequestTask:
    position, role, agency, text = what
    return RequestTask(
        id=uuid7(), request_id=row.id, position=position, role=role, agency=agency, what=text,
        state=state,
    )  # fmt: skip


def _open_next(rows: Sequence[RequestTask]) -> None:
    waiting = [task for task in rows if task.state == "waiting"]
    if waiting and not any(task.state in ("open", "claimed") for task in rows):
        min(waiting, key=lambda task: task.position).state = "open"


def _finish(rows: Sequence[RequestTask], role: str, stamp: Stamp) -> None:
    for task in rows:
        if task.role == role and task.state in LEFT:
            _done(task, stamp)


def _done(task: RequestTask, stamp: Stamp) -> None:
    task.state = "done"
    task.done_by, task.done_at = stamp


def _rest(rows: Sequence[RequestTask]) -> None:
    """The file is with the applicant: nobody has anything to do."""
    for task in rows:
        if task.state in ("open", "claimed"):
            task.state, task.claimed_by, task.claimed_at = "waiting", None, None


async def _reopen(
    session: AsyncSession, row: ServiceRequest, rows: Sequence[RequestTask], act: Act
) -> None:
    if act == "overturn":
        decide = (DECIDE_POSITION, "signer", row.agency, "Memutus permohonan kembali")
        _open_next([*rows, _add(session, row, decide, "waiting")])


def _close(rows: Sequence[RequestTask], act: Act, stamp: Stamp) -> None:
    for task in rows:
        if task.state in LEFT:
            if task.role == "signer" and act in ("issue", "refuse"):
                _done(task, stamp)
            else:
                task.state = "cancelled"
