"""Table of persons."""

from datetime import date, datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime
from sqlalchemy.orm import Mapped, mapped_column

ACTIVE = "active"
DEACTIVATED = "deactivated"

_TIME = DateTime(timezone=True)


class Person(Base):
    """A human being. `id` is the subject of tokens and the only name others know a person by."""

    __tablename__ = "person"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    nik_sealed: Mapped[bytes | None]
    nik_index: Mapped[bytes | None] = mapped_column(unique=True)
    nik_key: Mapped[str | None]
    birth_date: Mapped[date | None]
    assurance: Mapped[int]
    source: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str | None]
    valid_until: Mapped[datetime | None] = mapped_column(_TIME)
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(_TIME)
    changed_at: Mapped[datetime] = mapped_column(_TIME)
