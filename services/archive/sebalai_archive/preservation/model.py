"""Table of what stands in OCFL of each record."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column


class PreservedVersion(Base):
    """One version of a record's object. Its document, the metadata as text, is itself a content of
    the record's class, named here by its digest.
    """

    __tablename__ = "preserved_version"

    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    document_sha256: Mapped[str] = mapped_column(Text)
    document_bytes: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
