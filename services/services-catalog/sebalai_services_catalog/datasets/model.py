"""Tables of datasets' metadata; the data themselves stay with their agency."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import Computed, DateTime, ForeignKey, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_services_catalog.datasets.machine import Standing, State


class Dataset(Base):
    """`draft` is the latest that was written, `shown` what everybody reads. `published_by` null:
    one of the platform's own, described by the platform itself.
    """

    __tablename__ = "dataset"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(Text, unique=True)
    agency: Mapped[str] = mapped_column(Text)
    state: Mapped[State] = mapped_column(Text)
    revision: Mapped[int]
    draft: Mapped[dict[str, Any]] = mapped_column(JSONB)
    shown: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    author: Mapped[str] = mapped_column(Text)
    submitted_by: Mapped[str | None] = mapped_column(Text)
    published_by: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    modified_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    terms: Mapped[str] = mapped_column(Text, Computed("''"))

    @property
    def standing(self) -> Standing:
        return Standing(self.state, self.shown is not None)


class DatasetAct(Base):
    """Who moved a dataset from which state to which, when and why; never changed."""

    __tablename__ = "dataset_act"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("dataset.id"))
    act: Mapped[str] = mapped_column(Text)
    state_before: Mapped[str] = mapped_column(Text)
    state_after: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str | None] = mapped_column(Text)
