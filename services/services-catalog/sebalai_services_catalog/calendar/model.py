"""Tables of the calendar: days that differ from the week, weeks that differ from five days."""

from datetime import date, datetime

from sebalai_shared.database import Base
from sqlalchemy import DateTime, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_services_catalog.calendar.days import Kind
from sebalai_services_catalog.provenance import Marked

PROVINCE = "*"
"""The `agency` of a row that holds for all."""


class CalendarDay(Marked, Base):
    """`edited_by` is null while the row is as loaded: loading again never undoes an officer."""

    __tablename__ = "calendar_day"

    agency: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[Kind] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    basis: Mapped[str] = mapped_column(Text)
    removed: Mapped[bool] = mapped_column(default=False)
    edited_by: Mapped[str | None] = mapped_column(Text)
    edited_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class AgencyWeek(Base):
    __tablename__ = "agency_week"

    agency: Mapped[str] = mapped_column(Text, primary_key=True)
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    basis: Mapped[str] = mapped_column(Text)
    edited_by: Mapped[str] = mapped_column(Text)
    edited_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class CalendarRevision(Base):
    """One row: counts every change, so that whoever computed a date knows that it is old."""

    __tablename__ = "calendar_revision"

    single: Mapped[bool] = mapped_column(primary_key=True)
    revision: Mapped[int]
