"""Facts about requests: one type an act, all of one shape; ids and codes, no ticket, no name."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sebalai_shared.events import Event

from sebalai_services_catalog.requests.machine import Act

SOURCE = "urn:sebalai:catalog"
PAST: dict[Act, str] = {
    "submit": "submitted",
    "verify": "verification_started",
    "accept": "accepted",
    "bill": "billed",
    "return": "returned",
    "resubmit": "resubmitted",
    "pay": "payment_received",
    "ask_evidence": "evidence_asked",
    "receive_evidence": "evidence_received",
    "fail_evidence": "evidence_failed",
    "complete_task": "task_completed",
    "issue": "issued",
    "refuse": "refused",
    "hand_over": "transferred",
    "appeal": "appealed",
    "uphold": "refusal_confirmed",
    "overturn": "refusal_overturned",
    "withdraw": "retracted",
    "lapse": "lapsed",
    "discard": "discarded",
}
REMINDED = "catalog.request.reminded.v1"
BREACHED = "catalog.deadline.breached.v1"
RESCHEDULED = "catalog.request.rescheduled.v1"


class RequestMoved(BaseModel):
    """`on_time` is null while the request is open; `term` counts the promise in `term_unit`."""

    request_id: UUID
    service_id: UUID
    service: str
    service_version: int
    agency: str
    channel: str
    state_before: str
    state_after: str
    submitted_at: datetime | None
    due_at: datetime | None
    on_time: bool | None


class RequestReminded(BaseModel):
    """The applicant still holds the file; `reply_by` is the last moment."""

    request_id: UUID
    service: str
    agency: str
    state: str
    reply_by: datetime


class RequestRescheduled(BaseModel):
    """A changed calendar moved the last moment of a term: `reply_by`, `evidence_by`,
    `appeal_until` or `appeal_due_at`.
    """

    request_id: UUID
    service: str
    agency: str
    state: str
    term: str
    before: datetime
    after: datetime


class DeadlineBreached(BaseModel):
    """The promise was not kept; `deemed_granted` where the standard says so (UU 30/2014, 53)."""

    request_id: UUID
    service_id: UUID
    service: str
    agency: str
    state: str
    due_at: datetime
    deemed_granted: bool


def type_of(act: Act) -> str:
    return f"catalog.request.{PAST[act]}.v1"


FACTS: dict[str, type[BaseModel]] = {
    **{type_of(act): RequestMoved for act in PAST},
    REMINDED: RequestReminded,
    BREACHED: DeadlineBreached,
    RESCHEDULED: RequestRescheduled,
}

Told = RequestMoved | RequestReminded | RequestRescheduled | DeadlineBreached


def fact(kind: str, data: Told, at: datetime) -> Event:
    return Event(kind, SOURCE, str(data.request_id), data.model_dump(mode="json"), at)
