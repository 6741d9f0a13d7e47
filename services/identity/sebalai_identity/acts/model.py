"""Table of acts: the audit trail of identity."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime
from sqlalchemy.orm import Mapped, mapped_column


class Act(Base):
    """Append-only (a trigger holds it). `event_id` is empty for a look that changed nothing."""

    __tablename__ = "act"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    actor_kind: Mapped[str]
    actor: Mapped[str]
    agency: Mapped[str | None]
    act: Mapped[str]
    subject: Mapped[str]
    event_id: Mapped[UUID | None]
