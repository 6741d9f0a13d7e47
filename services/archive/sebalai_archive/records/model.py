"""Tables of records. The database itself refuses every change to a declared record."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import BigInteger, DateTime, ForeignKey, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sebalai_archive.reader import SecurityClass

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
    rule_version: Mapped[int | None]
    offset_months: Mapped[int]
    exception: Mapped[str | None] = mapped_column(Text)
    weighed: Mapped[str | None] = mapped_column(Text)
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
    subject: Mapped[str] = mapped_column(Text)
    unit: Mapped[str | None] = mapped_column(Text)
    file_unit_id: Mapped[UUID | None]
    security_class: Mapped[SecurityClass] = mapped_column(Text)
    number: Mapped[str | None] = mapped_column(Text)
    dated: Mapped[date | None]
    development_level: Mapped[str] = mapped_column(Text)
    medium: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    condition: Mapped[str] = mapped_column(Text)
    protection: Mapped[str] = mapped_column(Text)
    location: Mapped[str | None] = mapped_column(Text)
    filename: Mapped[str | None] = mapped_column(Text)
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


class RecordNeed(Base):
    """A need to know, given by the owner: addressee, written leave, or a case with its number."""

    __tablename__ = "record_need"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    agency: Mapped[str] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    reference: Mapped[str | None] = mapped_column(Text)
    given_by: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    valid_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class RecordRelation(Base):
    __tablename__ = "record_relation"

    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    other_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Loan(Base):
    """Who has the record out; one open loan a record, and none while it is disposed of."""

    __tablename__ = "loan"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[UUID]
    borrower: Mapped[str] = mapped_column(Text)
    agency: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    lent_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    returned_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Opening(Base):
    """Each opening of a record above class biasa, with its grounds."""

    __tablename__ = "opening"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    record_id: Mapped[UUID]
    subject: Mapped[str] = mapped_column(Text)
    agency: Mapped[str] = mapped_column(Text)
    security_class: Mapped[str] = mapped_column(Text)
    grounds: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Text)


class FileUnit(Base):
    """Berkas: records of one matter; closed, it takes no more."""

    __tablename__ = "file_unit"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(Text)
    unit: Mapped[str | None] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    classification_code: Mapped[str] = mapped_column(Text)
    security_class: Mapped[SecurityClass] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    opened_by: Mapped[str] = mapped_column(Text)
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class RetentionEvent(Base):
    """A change of a record's retention, with the dates before and after."""

    __tablename__ = "retention_event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    by: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    old: Mapped[dict[str, object]] = mapped_column(JSONB)
    new: Mapped[dict[str, object]] = mapped_column(JSONB)


class Custody(Base):
    __tablename__ = "custody"

    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    disposal_id: Mapped[UUID]


class Tombstone(Base):
    """What stays of a destroyed record beside its metadata; `proof` says where its bytes were
    looked for and not found.
    """

    __tablename__ = "tombstone"

    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    disposal_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    sha256: Mapped[str] = mapped_column(Text)
    erased_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    proof: Mapped[dict[str, object] | None] = mapped_column(JSONB)
