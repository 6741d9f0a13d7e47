"""Table of the register of regulations that services rest on."""

from datetime import datetime
from typing import Literal

from sebalai_shared.database import Base
from sqlalchemy import DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_services_catalog.provenance import Marked

Status = Literal["berlaku", "diubah", "dicabut"]
REVOKED: Status = "dicabut"


class Regulation(Marked, Base):
    """`changed_by_regulation` is what amended or revoked it."""

    __tablename__ = "regulation"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text)
    year: Mapped[int]
    title: Mapped[str] = mapped_column(Text)
    status: Mapped[Status] = mapped_column(Text)
    changed_by_regulation: Mapped[str | None] = mapped_column(Text)
    edited_by: Mapped[str | None] = mapped_column(Text)
    edited_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
