"""Tables of the exchange with the national application: one row a letter, and how far we read."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

Direction = Literal["out", "in"]
State = Literal["waiting", "done", "refused", "conflict", "duplicate"]


class NationalItem(Base):
    """`facts` are those of a letter whose file was not fetched yet; done, it stands in the agenda.
    `duplicate`: the letter had come another way before, `incoming_id` names it.
    """

    __tablename__ = "national_item"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    direction: Mapped[Direction] = mapped_column(Text)
    agency: Mapped[str] = mapped_column(Text)
    national_id: Mapped[str | None] = mapped_column(Text)
    outgoing_id: Mapped[UUID | None]
    incoming_id: Mapped[UUID | None]
    sha256: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    state: Mapped[State] = mapped_column(Text)
    attempts: Mapped[int]
    next_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    problem: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class NationalCursor(Base):
    __tablename__ = "national_cursor"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    after: Mapped[str] = mapped_column(Text)
    moved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
