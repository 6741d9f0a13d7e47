"""Table of what was found in contents, by their digest."""

from datetime import datetime

from sebalai_shared.database import Base
from sqlalchemy import DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_archive.examining import Scan, State


class Examination(Base):
    """`puid` is the PRONOM identifier; `body` the text, which is as secret as its records.
    `recognition`: null for what is no scan; else whether its text was read, of how many pages.
    """

    __tablename__ = "examination"

    sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[State] = mapped_column(Text)
    puid: Mapped[str | None] = mapped_column(Text)
    pages: Mapped[int | None]
    note: Mapped[str | None] = mapped_column(Text)
    scan: Mapped[Scan] = mapped_column(Text)
    recognition: Mapped[str | None] = mapped_column(Text)
    recognised_pages: Mapped[int | None]
    body: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
