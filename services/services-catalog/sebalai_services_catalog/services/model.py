"""Tables of services. A published version never changes; the service points at its current one."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_services_catalog.provenance import Marked
from sebalai_services_catalog.services.lifecycle import DraftState, State

PUBLISHED: State = "published"
SHOWN: tuple[State, ...] = ("published", "suspended")


class Service(Base):
    """`agency` is the slug identity gives an agency; `version` null until the first publication;
    `reason` says why it is suspended or retired, `successor` what took its place.
    """

    __tablename__ = "service"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(Text, unique=True)
    agency: Mapped[str] = mapped_column(Text)
    state: Mapped[State] = mapped_column(Text)
    version: Mapped[int | None]
    reason: Mapped[str | None] = mapped_column(Text)
    successor: Mapped[str | None] = mapped_column(Text)


class ServiceVersion(Marked, Base):
    """`standard` is the whole standard, `inherited` the fields its template filled. `digest` is of
    the file's meaning, so that loading again makes no new version. `places` are the kabupaten and
    kota of its service points.
    """

    __tablename__ = "service_version"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(Text)
    name_id: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str | None] = mapped_column(Text)
    summary_id: Mapped[str] = mapped_column(Text)
    summary_en: Mapped[str | None] = mapped_column(Text)
    audiences: Mapped[list[str]] = mapped_column(ARRAY(Text))
    life_event: Mapped[str | None] = mapped_column(Text)
    business_event: Mapped[str | None] = mapped_column(Text)
    ral_code: Mapped[str | None] = mapped_column(Text)
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    places: Mapped[list[str]] = mapped_column(ARRAY(Text))
    template: Mapped[str | None] = mapped_column(Text)
    inherited: Mapped[list[str]] = mapped_column(ARRAY(Text))
    standard: Mapped[dict[str, Any]] = mapped_column(JSONB)
    review_by: Mapped[date | None]
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    author: Mapped[str | None] = mapped_column(Text)
    published_by: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)


class ServiceDraft(Base):
    """The next version while it is written; `standard` holds only what the service says itself."""

    __tablename__ = "service_draft"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), primary_key=True)
    state: Mapped[DraftState] = mapped_column(Text)
    revision: Mapped[int]
    standard: Mapped[dict[str, Any]] = mapped_column(JSONB)
    template: Mapped[str | None] = mapped_column(Text)
    author: Mapped[str] = mapped_column(Text)
    changed_by: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    note: Mapped[str | None] = mapped_column(Text)


class ServiceAct(Base):
    """Who moved a service from which state to which, when and why; never changed."""

    __tablename__ = "service_act"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"))
    act: Mapped[str] = mapped_column(Text)
    state_before: Mapped[str] = mapped_column(Text)
    state_after: Mapped[str] = mapped_column(Text)
    version: Mapped[int | None]
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str | None] = mapped_column(Text)


class ServiceTemplate(Marked, Base):
    """What many services have in common; a service inherits each field it does not say itself."""

    __tablename__ = "service_template"

    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    level: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    standard: Mapped[dict[str, Any]] = mapped_column(JSONB)


class ServiceBasis(Base):
    """Which version rests on which regulation."""

    __tablename__ = "service_basis"

    service_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    regulation: Mapped[str] = mapped_column(Text, primary_key=True)
