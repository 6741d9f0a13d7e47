"""Table of seals."""

from datetime import datetime

from sebalai_shared.database import Base
from sqlalchemy import BigInteger, DateTime, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_archive.reader import SecurityClass


class ContentSeal(Base):
    """One sealed content of a class; equal bytes of another class are sealed apart. `stored` is the
    digest of the bytes as they lie, `size` how many bytes came. Without this row nobody reads them.
    """

    __tablename__ = "content_seal"

    sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    security_class: Mapped[SecurityClass] = mapped_column(Text, primary_key=True)
    stored: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    key_id: Mapped[str] = mapped_column(Text)
    wrapped_key: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    touched_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
