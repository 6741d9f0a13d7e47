"""Table of requests for a client."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

REQUESTED, APPROVED, REFUSED = "requested", "approved", "refused"

_TIME = DateTime(timezone=True)


class ClientRequest(Base):
    """An application somebody of an agency asks for; `wanted` is the registration as sent."""

    __tablename__ = "client_request"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str]
    name: Mapped[str]
    wanted: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    reason: Mapped[str | None]
    asked_by: Mapped[str]
    asked_by_system_of: Mapped[str | None]
    decided_by: Mapped[str | None]
    application_id: Mapped[UUID | None]
    requested_at: Mapped[datetime] = mapped_column(_TIME)
    decided_at: Mapped[datetime | None] = mapped_column(_TIME)
