"""Tables of requests. The row is the fold of its acts; acts never change."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, ForeignKey, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, deferred, mapped_column

from sebalai_services_catalog.requests.machine import State
from sebalai_services_catalog.requests.promise import Mode, Unit

TaskState = Literal["waiting", "open", "claimed", "done", "cancelled"]
_Time = DateTime(timezone=True)


class ServiceRequest(Base):
    """`revision` counts every change, `acts` the steps of the machine; `ran` are the stretches of
    the clock as pairs of RFC 3339; `reply_by` is the applicant's own deadline (draft, returned,
    awaiting payment). `window_from` and `window_days` are of the term that runs in this state.
    `asked` is set while evidence is awaited: its type, its holder, the requirements still open.
    """

    __tablename__ = "service_request"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ticket: Mapped[str] = mapped_column(Text)
    service_id: Mapped[UUID]
    service_version: Mapped[int]
    service: Mapped[str] = mapped_column(Text)
    agency: Mapped[str] = mapped_column(Text)
    applicant: Mapped[str] = mapped_column(Text)
    assisted: Mapped[bool]
    assisted_name: Mapped[str | None] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    state: Mapped[State] = mapped_column(Text)
    revision: Mapped[int]
    acts: Mapped[int] = mapped_column(default=0)
    starts: Mapped[Literal["submitted", "verified"]] = mapped_column(Text)
    term_value: Mapped[int]
    term_unit: Mapped[Unit] = mapped_column(Text)
    clock_mode: Mapped[Mode] = mapped_column(Text)
    running_since: Mapped[datetime | None] = mapped_column(_Time)
    ran: Mapped[list[list[str]]] = mapped_column(JSONB)
    back_to: Mapped[State | None] = mapped_column(Text)
    verified: Mapped[bool] = mapped_column(default=False)
    appealed: Mapped[bool] = mapped_column(default=False)
    due_at: Mapped[datetime | None] = mapped_column(_Time)
    calendar_revision: Mapped[int]
    on_breach: Mapped[str] = mapped_column(Text)
    breached_at: Mapped[datetime | None] = mapped_column(_Time)
    answers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    marks: Mapped[list[dict[str, str]]] = mapped_column(JSONB)
    reply_by: Mapped[datetime | None] = mapped_column(_Time)
    asked: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    evidence_by: Mapped[datetime | None] = mapped_column(_Time)
    window_from: Mapped[date | None]
    window_days: Mapped[int | None]
    window_revision: Mapped[int] = mapped_column(default=0)
    reminders: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None] = mapped_column(Text)
    legal_basis: Mapped[str | None] = mapped_column(Text)
    handed_to: Mapped[str | None] = mapped_column(Text)
    appeal_until: Mapped[datetime | None] = mapped_column(_Time)
    appeal_due_at: Mapped[datetime | None] = mapped_column(_Time)
    refused_by: Mapped[str | None] = mapped_column(Text)
    product: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(_Time)
    submitted_at: Mapped[datetime | None] = mapped_column(_Time)
    closed_at: Mapped[datetime | None] = mapped_column(_Time)
    last_act: Mapped[str | None] = mapped_column(Text)
    last_actor: Mapped[str | None] = mapped_column(Text)
    last_at: Mapped[datetime | None] = mapped_column(_Time)


class RequestAct(Base):
    __tablename__ = "request_act"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("service_request.id"))
    number: Mapped[int]
    act: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    state_before: Mapped[str] = mapped_column(Text)
    state_after: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    actor_agency: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(_Time)
    reason: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)


class RequestDueChange(Base):
    """A due date that a changed calendar moved."""

    __tablename__ = "request_due_change"

    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    calendar_revision: Mapped[int] = mapped_column(primary_key=True)
    due_before: Mapped[datetime | None] = mapped_column(_Time)
    due_after: Mapped[datetime | None] = mapped_column(_Time)
    at: Mapped[datetime] = mapped_column(_Time)


class RequestTask(Base):
    """What one role of one agency has to do; `waiting` until its turn comes."""

    __tablename__ = "request_task"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("service_request.id"))
    position: Mapped[int]
    role: Mapped[Literal["front_office", "officer", "signer", "superior"]] = mapped_column(Text)
    agency: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Text)
    state: Mapped[TaskState] = mapped_column(Text)
    claimed_by: Mapped[str | None] = mapped_column(Text)
    claimed_at: Mapped[datetime | None] = mapped_column(_Time)
    done_by: Mapped[str | None] = mapped_column(Text)
    done_at: Mapped[datetime | None] = mapped_column(_Time)


class RequestDocument(Base):
    """A document as uploaded; a replaced one stays, because somebody may have decided on it."""

    __tablename__ = "request_document"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("service_request.id"), primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    content: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    uploaded_by: Mapped[str] = mapped_column(Text)
    uploaded_at: Mapped[datetime] = mapped_column(_Time)
