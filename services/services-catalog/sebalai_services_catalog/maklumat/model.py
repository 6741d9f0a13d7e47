"""Table of the signed promises."""

from datetime import date, datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column


class Maklumat(Base):
    """One current per agency (`replaced_at` null); earlier ones stay readable."""

    __tablename__ = "maklumat"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(Text)
    text_id: Mapped[str] = mapped_column(Text)
    signer: Mapped[str] = mapped_column(Text)
    signer_position: Mapped[str] = mapped_column(Text)
    signed_on: Mapped[date]
    entered_by: Mapped[str] = mapped_column(Text)
    entered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    replaced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
