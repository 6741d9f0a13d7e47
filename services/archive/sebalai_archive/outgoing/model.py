"""Tables of outgoing letters. A signed letter only becomes sent; a sent one changes no more."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import BigInteger, DateTime, ForeignKey, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_archive.outgoing.states import Act, State
from sebalai_archive.reader import SecurityClass


class OutgoingLetter(Base):
    """`verified` counts the parafs given, in the order of `verifiers`."""

    __tablename__ = "outgoing_letter"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(Text)
    letter_type: Mapped[str] = mapped_column(Text)
    classification_code: Mapped[str] = mapped_column(Text)
    security_class: Mapped[SecurityClass] = mapped_column(Text)
    urgency: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text)
    place: Mapped[str] = mapped_column(Text)
    addressees: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    copies: Mapped[list[str]] = mapped_column(JSONB)
    paragraphs: Mapped[list[str]] = mapped_column(JSONB)
    verifiers: Mapped[list[str]] = mapped_column(JSONB)
    signer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    drafter: Mapped[str] = mapped_column(Text)
    state: Mapped[State] = mapped_column(Text)
    verified: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    letter_date: Mapped[date | None]
    number_text: Mapped[str | None] = mapped_column(Text)
    verification_code: Mapped[str | None] = mapped_column(Text)
    content_sha256: Mapped[str | None] = mapped_column(Text)
    content_bytes: Mapped[int | None] = mapped_column(BigInteger)
    record_id: Mapped[UUID | None]
    event_id: Mapped[UUID | None]
    certificate_serial: Mapped[str | None] = mapped_column(Text)


class OutgoingAct(Base):
    __tablename__ = "outgoing_act"

    letter_id: Mapped[UUID] = mapped_column(ForeignKey("outgoing_letter.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    act: Mapped[Act] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
