"""Table of standings."""

from datetime import datetime

from sebalai_shared.database import Base
from sqlalchemy import DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_archive.reader import Rank


class Standing(Base):
    """A subject's place in the province while it lasts; `assignment` is an inspector's letter."""

    __tablename__ = "standing"

    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    agency: Mapped[str] = mapped_column(Text)
    unit: Mapped[str | None] = mapped_column(Text)
    rank: Mapped[Rank] = mapped_column(Text)
    is_archivist: Mapped[bool]
    assignment: Mapped[str | None] = mapped_column(Text)
    valid_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    valid_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    set_by: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
