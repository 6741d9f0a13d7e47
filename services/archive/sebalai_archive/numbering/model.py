"""Tables of numbering. The database refuses to forget or to change a settled number."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import Date, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

State = Literal["reserved", "issued", "void"]
RESERVED: State = "reserved"
ISSUED: State = "issued"
VOID: State = "void"


class NumberTemplate(Base):
    """How an agency writes the number of a letter type from a day on, and in which book."""

    __tablename__ = "number_template"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(Text)
    letter_type: Mapped[str] = mapped_column(Text)
    book: Mapped[str] = mapped_column(Text)
    pattern: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[date] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_by: Mapped[str] = mapped_column(Text)


class Number(Base):
    """One number: reserved for a letter or in a block, then issued, or void with a reason."""

    __tablename__ = "number"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(Text)
    book: Mapped[str] = mapped_column(Text)
    year: Mapped[int]
    n: Mapped[int]
    state: Mapped[State] = mapped_column(Text)
    letter_id: Mapped[UUID | None]
    block_id: Mapped[UUID | None]
    text: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    reserved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reserved_by: Mapped[str] = mapped_column(Text)
    settled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    settled_by: Mapped[str | None] = mapped_column(Text)
