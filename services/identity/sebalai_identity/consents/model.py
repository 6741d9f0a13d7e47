"""What a person has agreed that an application may have."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import ARRAY, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column


class Consent(Base):
    """One act of agreement, as it was worded then. It stays after it is withdrawn: it is proof."""

    __tablename__ = "consent"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[UUID]
    client_id: Mapped[UUID]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    text_version: Mapped[str]
    granted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
