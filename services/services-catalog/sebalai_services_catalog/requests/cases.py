"""Rows as cases of the machine and back."""

from datetime import datetime
from typing import Any

from sebalai_services_catalog.calendar.actions import Calendars
from sebalai_services_catalog.requests.machine import CLOSED, Case
from sebalai_services_catalog.requests.model import ServiceRequest
from sebalai_services_catalog.requests.promise import Promise


def promise_of(row: Any) -> Promise:
    """`row` is a request, or any row with the five columns of its clock."""
    ran = tuple((datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in row.ran)
    return Promise(row.term_value, row.term_unit, row.clock_mode, row.running_since, ran)


def case_of(row: ServiceRequest) -> Case:
    return Case(
        promise=promise_of(row),
        starts=row.starts,
        state=row.state,
        back_to=row.back_to,
        verified=row.verified,
        appealed=row.appealed,
        version=row.acts + 1,
    )


def write_case(row: ServiceRequest, case: Case, known: Calendars, at: datetime) -> None:
    """The row as the case says; its due date by the calendars as they are now."""
    promise = case.promise
    row.state, row.back_to = case.state, case.back_to
    row.verified, row.appealed = case.verified, case.appealed
    row.acts, row.revision = case.version - 1, row.revision + 1
    row.clock_mode, row.running_since = promise.mode, promise.since
    row.ran = [[start.isoformat(), end.isoformat()] for start, end in promise.ran]
    row.closed_at = at if case.state in CLOSED else None
    write_due(row, promise, known)


def write_due(row: ServiceRequest, promise: Promise, known: Calendars) -> None:
    """A stopped clock keeps the due date it was stopped at: whether it was kept stays known."""
    row.calendar_revision = known.revision
    if promise.mode != "stopped":
        row.due_at = promise.due_at(known.of(row.agency))


def on_time(row: ServiceRequest) -> bool | None:
    """Null while open, or when the promise never ran."""
    if row.closed_at is None or row.due_at is None:
        return None
    return row.breached_at is None and row.closed_at < row.due_at
