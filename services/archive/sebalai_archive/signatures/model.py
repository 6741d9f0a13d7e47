"""Tables of signed files: what each is now, and every file it has been, which stays as it is."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import BigInteger, DateTime, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_archive.signing.signer import Profile, SignatureState


class Signature(Base):
    """Of one record. `due_at` is when the worker looks at it next, `problem` why it could not do
    what was due.
    """

    __tablename__ = "signature"

    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(Text)
    profile: Mapped[Profile] = mapped_column(Text)
    state: Mapped[SignatureState] = mapped_column(Text)
    revisions: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    tries: Mapped[int]
    problem: Mapped[str | None] = mapped_column(Text)


class SignatureRevision(Base):
    """The first is the declared content; each later one begins with the one before it. `stamped_at`
    and `good_until` are of its last document timestamp.
    """

    __tablename__ = "signature_revision"

    record_id: Mapped[UUID] = mapped_column(ForeignKey("signature.record_id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    profile: Mapped[Profile] = mapped_column(Text)
    content_sha256: Mapped[str] = mapped_column(Text)
    content_bytes: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    stamped_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    good_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    event_id: Mapped[UUID | None]
    statement: Mapped[str | None] = mapped_column(Text)
