"""Tables of disposals. The database itself keeps a frozen list and its root."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_archive.disposals.machine import Kind, State


class Proposal(Base):
    """What the daily job proposes; it never acts."""

    __tablename__ = "proposal"

    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(Text)
    act: Mapped[str] = mapped_column(Text)
    approver: Mapped[str | None] = mapped_column(Text)
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    proposed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Disposal(Base):
    """Six people by subject, all different. `authority` is who must approve, by total years."""

    __tablename__ = "disposal"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(Text)
    kind: Mapped[Kind] = mapped_column(Text)
    state: Mapped[State] = mapped_column(Text)
    proposer: Mapped[str] = mapped_column(Text)
    reviewer: Mapped[str] = mapped_column(Text)
    approver: Mapped[str] = mapped_column(Text)
    executor: Mapped[str] = mapped_column(Text)
    witness_legal: Mapped[str] = mapped_column(Text)
    witness_supervision: Mapped[str] = mapped_column(Text)
    authority: Mapped[str | None] = mapped_column(Text)
    list_root: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    executed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    withdrawn_reason: Mapped[str | None] = mapped_column(Text)


class DisposalItem(Base):
    __tablename__ = "disposal_item"

    disposal_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    record_id: Mapped[UUID]
    line: Mapped[str] = mapped_column(Text)
    total_years: Mapped[int]
    is_open: Mapped[bool]


class DisposalAct(Base):
    """A step that was done; a witness's presence is the step `witness_legal` or
    `witness_supervision`.
    """

    __tablename__ = "disposal_act"

    disposal_id: Mapped[UUID] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(Text, primary_key=True)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    evidence: Mapped[dict[str, str]] = mapped_column(JSONB)


class DisposalMinutes(Base):
    """The one record that the archive itself has made of the minutes."""

    __tablename__ = "disposal_minutes"

    disposal_id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
