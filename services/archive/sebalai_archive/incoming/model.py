"""Tables of incoming letters and of dispositions. A letter that came over the bus waits until the
office registers it.
"""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import BigInteger, DateTime, ForeignKey, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_archive.reader import SecurityClass

DispositionState = Literal["unread", "read", "followed_up", "done", "cancelled"]


class IncomingLetter(Base):
    """`agenda` is its number in the agenda book; null while nobody registered it."""

    __tablename__ = "incoming_letter"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(Text)
    agenda: Mapped[str | None] = mapped_column(Text)
    sender: Mapped[str] = mapped_column(Text)
    letter_number: Mapped[str | None] = mapped_column(Text)
    letter_date: Mapped[date | None]
    subject: Mapped[str] = mapped_column(Text)
    security_class: Mapped[SecurityClass] = mapped_column(Text)
    urgency: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    addressed_to: Mapped[str | None] = mapped_column(Text)
    outgoing_id: Mapped[UUID | None]
    record_id: Mapped[UUID | None]
    content_sha256: Mapped[str | None] = mapped_column(Text)
    content_bytes: Mapped[int | None] = mapped_column(BigInteger)
    arrived_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    registered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    registered_by: Mapped[str | None] = mapped_column(Text)


class Disposition(Base):
    """`on_behalf` is the delegation as it stood when it was sent (Plt., Plh.), kept for good."""

    __tablename__ = "disposition"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    letter_id: Mapped[UUID] = mapped_column(ForeignKey("incoming_letter.id"))
    agency: Mapped[str] = mapped_column(Text)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("disposition.id"))
    sender: Mapped[str] = mapped_column(Text)
    on_behalf: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    recipient: Mapped[str] = mapped_column(Text)
    recipient_name: Mapped[str] = mapped_column(Text)
    instruction: Mapped[str] = mapped_column(Text)
    deadline: Mapped[date | None]
    state: Mapped[DispositionState] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(Text)
    answer_id: Mapped[UUID | None]
    sent_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
