"""Table of agencies."""

from datetime import date
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column


class AgencyName(Base):
    """A name an agency bore until a day; the present one stands in its own row."""

    __tablename__ = "agency_name"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str]
    name: Mapped[str]
    short_name: Mapped[str]
    until: Mapped[date]
    decree: Mapped[str]


class Agency(Base):
    """A Perangkat Daerah or a unit of one. `slug` is the name everything else uses."""

    __tablename__ = "agency"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    short_name: Mapped[str]
    kind: Mapped[str]
    code: Mapped[str]
    affairs: Mapped[list[str]] = mapped_column(ARRAY(Text))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    successor_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    status: Mapped[str]
    source: Mapped[str]
    code_status: Mapped[str]
    code_source: Mapped[str]
