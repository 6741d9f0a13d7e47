"""Table of what harvesters see."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column


class HarvestItem(Base):
    """`seq` orders changes as they became visible; `at`, in whole seconds, never falls behind it.
    `section` is the classification's first number, one of the ten groups.
    """

    __tablename__ = "harvest_item"

    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    agency: Mapped[str] = mapped_column(Text)
    section: Mapped[str] = mapped_column(Text)
    is_deleted: Mapped[bool]
