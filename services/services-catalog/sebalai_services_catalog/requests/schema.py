"""Wire shapes of requests, their acts and tasks."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sebalai_services_catalog.requests.machine import Act, Role, State
from sebalai_services_catalog.requests.model import TaskState

VALUE_LENGTH_MAX = 2_000
NOTE_LENGTH_MAX = 1_000
ANSWERS_MAX = 40
REPLY_WORKING_DAYS_MAX = 60
REPLY_WORKING_DAYS = 14

_PLAIN = r"^[^\x00]*$"
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Slug = Code
AgencySlug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
Note = Annotated[str, Field(min_length=1, max_length=NOTE_LENGTH_MAX, pattern=_PLAIN)]
Value = Annotated[str, Field(min_length=1, max_length=VALUE_LENGTH_MAX, pattern=_PLAIN)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Channel = Literal["daring", "loket", "telepon", "whatsapp", "aplikasi"]


class _Write(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AnswerWrite(_Write):
    """`value` for data; `shown` for an original shown at the counter (officers only)."""

    value: Value | None = None
    shown: Literal[True] | None = None


Answers = Annotated[dict[Code, AnswerWrite], Field(max_length=ANSWERS_MAX)]


class Assisted(_Write):
    """Filed by an officer at the counter for somebody; the name stands on the receipt."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]


class RequestCreate(_Write):
    """`submit` files it at once: what an offline draft sends when there is a line again."""

    service: Slug
    channel: Channel = "daring"
    answers: Answers = {}
    assisted: Assisted | None = None
    submit: bool = False


class AnswersWrite(_Write):
    """Given answers are set, null takes one back; the others stay."""

    revision: Annotated[int, Field(ge=1, le=2**31 - 1)]
    answers: Annotated[dict[Code, AnswerWrite | None], Field(max_length=ANSWERS_MAX)]


class Mark(_Write):
    """A requirement of the service that must be corrected, and why."""

    code: Code
    reason: Note


class AskedRead(BaseModel):
    """Evidence that an officer asked for: from whom, for which requirements still open."""

    evidence_type: str
    holder: str
    codes: list[str]


class _Act(_Write):
    revision: Annotated[int, Field(ge=1, le=2**31 - 1)]


class Plain(_Act):
    act: Literal["submit", "verify", "resubmit", "discard"]


class WorkedOutFee(_Write):
    """A fee by the formula of the standard: what it gives here, and how. 0 rupiah asks no bill."""

    rupiah: Annotated[int, Field(ge=0, le=10**12)]
    calculation: Note


class Accept(_Act):
    """`fee` exactly where the standard's fee goes by formula."""

    act: Literal["accept"]
    fee: WorkedOutFee | None = None


class Reasoned(_Act):
    act: Literal["withdraw", "appeal", "uphold", "overturn", "fail_evidence"]
    reason: Note


class Return(_Act):
    act: Literal["return"]
    reason: Note
    marks: Annotated[list[Mark], Field(min_length=1, max_length=ANSWERS_MAX)]
    working_days: Annotated[int, Field(ge=1, le=REPLY_WORKING_DAYS_MAX)] = REPLY_WORKING_DAYS


class HandOver(_Act):
    act: Literal["hand_over"]
    reason: Note
    to: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]


class CompleteTask(_Act):
    act: Literal["complete_task"]
    task: UUID
    reason: Note | None = None


class Issue(_Act):
    """`record_id` is the record of the product in the archive."""

    act: Literal["issue"]
    number: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")]
    record_id: UUID | None = None
    sha256: Sha256 | None = None
    reason: Note | None = None


class Refuse(_Act):
    act: Literal["refuse"]
    reason: Note
    legal_basis: Slug


ActWrite = Annotated[
    Plain | Accept | Reasoned | Return | HandOver | CompleteTask | Issue | Refuse,
    Field(discriminator="act"),
]


class ClockRead(BaseModel):
    """Where the promise stands: "hari kerja ke-`used` dari `term`". `amber` from 70 percent on."""

    term: int
    unit: str
    mode: str
    used: int
    due_at: datetime | None
    due_text: str | None
    amber: bool
    late: bool
    breached_at: datetime | None


class TaskRead(BaseModel):
    id: UUID
    request_id: UUID
    position: int
    role: str
    agency: str
    what: str
    state: TaskState
    claimed_by: str | None
    claimed_at: datetime | None
    done_by: str | None
    done_at: datetime | None


class QueuedTaskRead(TaskRead):
    """A task with what its officer needs to choose: no answers, only what and until when."""

    ticket: str
    service: str
    request_state: State
    revision: int
    due_at: datetime | None


class RequestRead(BaseModel):
    """`business`: identity's id of the one it was filed for, by whoever acted for it."""

    id: UUID
    ticket: str
    service: str
    service_version: int
    agency: str
    channel: str
    business: UUID | None
    assisted: bool
    state: State
    revision: int
    possible: list[Act]
    clock: ClockRead
    answers: dict[str, Any]
    marks: list[Mark]
    reason: str | None
    reply_by: datetime | None
    asked: AskedRead | None
    evidence_by: datetime | None
    legal_basis: str | None
    handed_to: str | None
    appeal_until: datetime | None
    appeal_due_at: datetime | None
    product: dict[str, Any] | None
    tasks: list[TaskRead]
    created_at: datetime
    submitted_at: datetime | None
    closed_at: datetime | None
    last_act: str | None
    last_actor: str | None
    last_at: datetime | None


class RequestBrief(BaseModel):
    id: UUID
    ticket: str
    service: str
    agency: str
    state: State
    revision: int
    due_at: datetime | None
    breached_at: datetime | None
    submitted_at: datetime | None


class ActRead(BaseModel):
    number: int
    act: Act
    role: Role
    state_before: State
    state_after: State
    actor: str
    actor_agency: str | None
    at: datetime
    reason: str | None
    detail: dict[str, Any]


class DueChangeRead(BaseModel):
    calendar_revision: int
    due_before: datetime | None
    due_after: datetime | None
    at: datetime


class HistoryRead(BaseModel):
    acts: list[ActRead]
    due_changes: list[DueChangeRead]


class TicketRead(BaseModel):
    """What anyone with the number sees: where the file is and until when; no names, no answers."""

    ticket: str
    service: str
    service_name: str
    agency: str
    state: State
    held_by: Literal["applicant", "agency", "nobody"]
    submitted_at: datetime
    clock: ClockRead
    reply_by: datetime | None
    appeal_until: datetime | None
    closed_at: datetime | None


class ReceiptRead(BaseModel):
    """Tanda terima: what stands on the paper, with the address in its QR code."""

    ticket: str
    service_name: str
    agency: str
    received_from: str | None
    submitted_at: datetime
    clock: ClockRead
    status_url: str
    qr_url: str


class DocumentRead(BaseModel):
    code: str
    sha256: str
    name: str
    media_type: str
    size: int
