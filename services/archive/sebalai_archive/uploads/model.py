"""Table of uploads under way."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import BigInteger, DateTime, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_archive.reader import SecurityClass


class Upload(Base):
    """`received` counts bytes that are on disk for good; `finished_sha256` is set once the content
    stands in the record. `wrapped_key` opens what has come, under the key of `security_class`; all
    three are null where it lies plain.
    """

    __tablename__ = "upload"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[UUID]
    agency: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    length: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    metadata_text: Mapped[str] = mapped_column("metadata", Text)
    begun_key: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    security_class: Mapped[SecurityClass | None] = mapped_column(Text)
    key_id: Mapped[str | None] = mapped_column(Text)
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    finished_sha256: Mapped[str | None] = mapped_column(Text)
