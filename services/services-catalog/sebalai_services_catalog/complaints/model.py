"""Tables of complaints. An anonymous one holds nobody's name: the database refuses it."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_services_catalog.complaints.machine import Kind, State

_Time = DateTime(timezone=True)


class Complaint(Base):
    """`anonymous` hides the reporter from the agency too, `secret` the complaint from the public.

    `breached_stage` is the stage whose missed limit was told; `lapor_revision` what LAPOR! has.
    """

    __tablename__ = "complaint"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ticket: Mapped[str] = mapped_column(Text)
    kind: Mapped[Kind] = mapped_column(Text)
    anonymous: Mapped[bool]
    secret: Mapped[bool]
    reporter: Mapped[str | None] = mapped_column(Text)
    reporter_name: Mapped[str | None] = mapped_column(Text)
    reply_code_sha256: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    service: Mapped[str | None] = mapped_column(Text)
    service_id: Mapped[UUID | None]
    request_id: Mapped[UUID | None]
    agency: Mapped[str | None] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    state: Mapped[State] = mapped_column(Text)
    revision: Mapped[int]
    received_at: Mapped[datetime] = mapped_column(_Time)
    forwarded_at: Mapped[datetime | None] = mapped_column(_Time)
    answered_at: Mapped[datetime | None] = mapped_column(_Time)
    closed_at: Mapped[datetime | None] = mapped_column(_Time)
    deadline_at: Mapped[datetime | None] = mapped_column(_Time)
    calendar_revision: Mapped[int] = mapped_column(default=0)
    breached_stage: Mapped[str | None] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    last_actor: Mapped[str | None] = mapped_column(Text)
    last_at: Mapped[datetime] = mapped_column(_Time)
    lapor_id: Mapped[str | None] = mapped_column(Text)
    lapor_revision: Mapped[int] = mapped_column(default=0)


class ComplaintAct(Base):
    __tablename__ = "complaint_act"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    complaint_id: Mapped[UUID] = mapped_column(ForeignKey("complaint.id"))
    act: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    state_before: Mapped[str] = mapped_column(Text)
    state_after: Mapped[str] = mapped_column(Text)
    agency: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(_Time)
    text: Mapped[str | None] = mapped_column(Text)
