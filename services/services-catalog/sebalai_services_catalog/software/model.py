"""Table of software that agencies publish or use under an open licence."""

from datetime import datetime
from typing import Any

from sebalai_shared.database import Base
from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column


class Software(Base):
    """`publiccode` as the standard's keys, null once withdrawn; `application` the r1 identifier of
    the catalogued application that runs it.
    """

    __tablename__ = "software"

    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    agency: Mapped[str] = mapped_column(Text)
    application: Mapped[str | None] = mapped_column(Text)
    revision: Mapped[int]
    publiccode: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    changed_by: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
