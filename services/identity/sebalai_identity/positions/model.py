"""Table of positions."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

_TIME = DateTime(timezone=True)


class Position(Base):
    """A post (jabatan) of an agency, whoever holds it. `code` is unique in its agency."""

    __tablename__ = "position"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str]
    code: Mapped[str]
    title: Mapped[str]
    kind: Mapped[str]
    eselon: Mapped[str | None]
    supervisor_id: Mapped[UUID | None] = mapped_column(ForeignKey("position.id"))
    decree: Mapped[str]
    source: Mapped[str]
    end_reason: Mapped[str | None]
    valid_from: Mapped[datetime] = mapped_column(_TIME)
    valid_until: Mapped[datetime | None] = mapped_column(_TIME)
    changed_at: Mapped[datetime] = mapped_column(_TIME)
