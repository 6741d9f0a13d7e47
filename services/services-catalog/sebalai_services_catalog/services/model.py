"""Tables of services. A published version never changes; the service points at its current one."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_services_catalog.provenance import Marked

State = Literal["published"]
PUBLISHED: State = "published"


class Service(Base):
    """`agency` is the slug identity gives an agency."""

    __tablename__ = "service"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(Text, unique=True)
    agency: Mapped[str] = mapped_column(Text)
    state: Mapped[State] = mapped_column(Text)
    version: Mapped[int]


class ServiceVersion(Marked, Base):
    """`digest` is of the reviewed file's meaning, so that loading again makes no new version."""

    __tablename__ = "service_version"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(Text)
    name_id: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    summary_id: Mapped[str] = mapped_column(Text)
    summary_en: Mapped[str] = mapped_column(Text)
    audiences: Mapped[list[str]] = mapped_column(ARRAY(Text))
    life_event: Mapped[str] = mapped_column(Text)
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    digest: Mapped[str] = mapped_column(Text)
