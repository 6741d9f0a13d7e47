"""Table of requests for a client."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

REQUESTED, APPROVED, REFUSED = "requested", "approved", "refused"
WITHDRAWN = "withdrawn"

_TIME = DateTime(timezone=True)


class ClientRequest(Base):
    """An application somebody of an agency asks for; `wanted` is the registration as sent.

    `client_id`: of a client that registered itself (RFC 7591), with its `keys`; `asked_by` is then
    who issued the token it came with, and `handed_to` who was given that. `confirmed_by`: the first
    of the two who approve a later wish of such a client.
    """

    __tablename__ = "client_request"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str]
    name: Mapped[str]
    wanted: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    reason: Mapped[str | None]
    asked_by: Mapped[str]
    asked_by_system_of: Mapped[str | None]
    handed_to: Mapped[str | None]
    confirmed_by: Mapped[str | None]
    confirmed_by_system_of: Mapped[str | None]
    decided_by: Mapped[str | None]
    application_id: Mapped[UUID | None]
    client_id: Mapped[UUID | None]
    keys: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    requested_at: Mapped[datetime] = mapped_column(_TIME)
    decided_at: Mapped[datetime | None] = mapped_column(_TIME)
