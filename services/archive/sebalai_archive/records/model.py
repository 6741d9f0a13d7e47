"""Tables of records. The database itself refuses every change to a declared record."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import BigInteger, DateTime, ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

State = Literal["draft", "declared"]
DRAFT: State = "draft"
DECLARED: State = "declared"


class RecordRetention(Base):
    """The rule as it stood at the declaration and the dates by it; apart from the record, because
    a trigger may come after the record is frozen.
    """

    __tablename__ = "record_retention"

    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    rule_code: Mapped[str | None] = mapped_column(Text)
    active_years: Mapped[int | None]
    inactive_years: Mapped[int | None]
    final_disposition: Mapped[str | None] = mapped_column(Text)
    trigger_kind: Mapped[str] = mapped_column(Text)
    trigger_date: Mapped[date | None]
    active_until: Mapped[date | None]
    inactive_until: Mapped[date | None]
    computed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Record(Base):
    """`statement` is the exact text of what was declared; `commitment` is SHA-256 over `salt` and
    that text, and alone goes out.
    """

    __tablename__ = "record"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(Text)
    application: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    classification_code: Mapped[str] = mapped_column(Text)
    state: Mapped[State] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    content_sha256: Mapped[str | None] = mapped_column(Text)
    content_bytes: Mapped[int | None] = mapped_column(BigInteger)
    content_type: Mapped[str | None] = mapped_column(Text)
    content_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    declared_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    event_id: Mapped[UUID | None]
    statement: Mapped[str | None] = mapped_column(Text)
    salt: Mapped[bytes | None] = mapped_column(LargeBinary)
    commitment: Mapped[str | None] = mapped_column(Text)
    retention: Mapped[RecordRetention | None] = relationship(lazy="joined")
