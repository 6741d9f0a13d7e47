"""Rows as wire shapes: a request, its clock in words, a ticket, a receipt."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sebalai_shared.caller import BUSINESS_PREFIX

from sebalai_services_catalog.calendar.actions import WIB, Calendars
from sebalai_services_catalog.requests import schema
from sebalai_services_catalog.requests.cases import case_of, promise_of
from sebalai_services_catalog.requests.filing import holder_of
from sebalai_services_catalog.requests.machine import possible
from sebalai_services_catalog.requests.model import RequestAct, RequestTask, ServiceRequest
from sebalai_services_catalog.requests.store import QueuedTask

AMBER_SHARE = 0.7
DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September",
    "Oktober", "November", "Desember",
)  # fmt: skip
UNITS = {"working_days": "hari kerja", "days": "hari", "hours": "jam", "minutes": "menit"}
SECONDS = {"minutes": 60, "hours": 3_600, "days": 86_400}


def day_text(too_late_from: datetime) -> str:
    """The last day in words, "Rabu 30 Desember 2026": one instant before it is too late."""
    day = (too_late_from - timedelta(microseconds=1)).astimezone(WIB)
    return f"{DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}"


def clock_read(row: ServiceRequest, known: Calendars, now: datetime) -> schema.ClockRead:
    """`used` in the term's own unit, the one that runs now included ("hari kerja ke-2 dari 3")."""
    promise, calendar = promise_of(row), known.of(row.agency)
    used = promise.used(now, calendar)
    shown = used if row.term_unit == "working_days" else used // SECONDS[row.term_unit]
    running = promise.mode == "running"
    due = row.due_at if promise.mode != "off" else None
    text = None
    if due is not None:
        text = (
            f"{UNITS[row.term_unit]} ke-{shown} dari {row.term_value}, jatuh tempo {day_text(due)}"
        )
    return schema.ClockRead(
        term=row.term_value,
        unit=row.term_unit,
        mode=promise.mode,
        used=shown,
        due_at=due,
        due_text=text,
        amber=running and promise.share(now, calendar) >= AMBER_SHARE,
        late=row.breached_at is not None or (running and due is not None and now >= due),
        breached_at=row.breached_at,
    )


def task_read(task: RequestTask) -> schema.TaskRead:
    fields = {name: getattr(task, name) for name in schema.TaskRead.model_fields}
    return schema.TaskRead(**fields)


def queued_read(row: QueuedTask | tuple[RequestTask, ServiceRequest]) -> schema.QueuedTaskRead:
    task, request = row
    return schema.QueuedTaskRead(
        **task_read(task).model_dump(),
        ticket=request.ticket,
        service=request.service,
        request_state=request.state,
        revision=request.revision,
        due_at=request.due_at,
    )


def request_read(
    row: ServiceRequest, tasks: Sequence[RequestTask], known: Calendars, now: datetime
) -> schema.RequestRead:
    plain = {
        name: getattr(row, name)
        for name in schema.RequestRead.model_fields
        if name not in ("business", "possible", "clock", "tasks", "marks")
    }
    return schema.RequestRead(
        **plain,
        business=_business_of(row.applicant),
        possible=possible(case_of(row)),
        clock=clock_read(row, known, now),
        marks=[schema.Mark(**mark) for mark in row.marks],
        tasks=[task_read(task) for task in tasks],
    )


def brief_read(row: ServiceRequest) -> schema.RequestBrief:
    fields = {name: getattr(row, name) for name in schema.RequestBrief.model_fields}
    return schema.RequestBrief(**fields)


def act_read(act: RequestAct) -> schema.ActRead:
    fields = {name: getattr(act, name) for name in schema.ActRead.model_fields}
    return schema.ActRead(**fields)


def ticket_read(
    row: ServiceRequest, name: str, known: Calendars, now: datetime
) -> schema.TicketRead:
    assert row.submitted_at is not None  # noqa: S101 - only submitted requests are found
    return schema.TicketRead(
        ticket=row.ticket,
        service=row.service,
        service_name=name,
        agency=row.agency,
        state=row.state,
        held_by=holder_of(row),
        submitted_at=row.submitted_at,
        clock=clock_read(row, known, now),
        reply_by=row.reply_by,
        appeal_until=row.appeal_until,
        closed_at=row.closed_at,
    )


def _business_of(party: str) -> UUID | None:
    """The business that a `Caller.party` is, if it is one."""
    is_business = party.startswith(BUSINESS_PREFIX)
    return UUID(party.removeprefix(BUSINESS_PREFIX)) if is_business else None
