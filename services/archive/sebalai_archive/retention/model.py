"""Table of the retention schedule (JRA)."""

from datetime import date, datetime

from sebalai_shared.database import Base
from sqlalchemy import DateTime, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_archive.provenance import Marked
from sebalai_archive.retention.schedule import Fate


class RetentionRule(Marked, Base):
    """`exception` is the schedule's remark "kecuali …", which a person must weigh.

    A version holds from its day on; the schedule of the reference folder is version 1.
    `security_class` is a proposal: the province's own rule was not found.
    """

    __tablename__ = "retention_rule"

    classification_code: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    valid_from: Mapped[date]
    trigger_kind: Mapped[str] = mapped_column(Text)
    offset_months: Mapped[int]
    legal_basis: Mapped[str | None] = mapped_column(Text)
    applied_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    path: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    series: Mapped[str] = mapped_column(Text)
    active_years: Mapped[int]
    inactive_years: Mapped[int]
    final_disposition: Mapped[Fate] = mapped_column(Text)
    security_class: Mapped[str] = mapped_column(Text)
    exception: Mapped[str | None] = mapped_column(Text)
