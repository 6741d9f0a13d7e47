"""Tables of initial access tokens and of clients that registered themselves (RFC 7591, 7592)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

_TIME = DateTime(timezone=True)


class InitialToken(Base):
    """What a client registers with, so many times and until then; kept as its SHA-256 alone.
    `handed_to`: who is given it; None for those issued before that was asked.
    """

    __tablename__ = "initial_token"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    purpose: Mapped[str]
    handed_to: Mapped[str | None]
    registrations: Mapped[int]
    used: Mapped[int]
    valid_until: Mapped[datetime] = mapped_column(_TIME)
    issued_by: Mapped[str]
    issued_by_system_of: Mapped[str | None]
    issued_at: Mapped[datetime] = mapped_column(_TIME)
    revoked_at: Mapped[datetime | None] = mapped_column(_TIME)


class ClientRegistration(Base):
    """`digest`: of its registration access token; `previous_digest`: of the one before, as long as
    the new one was never used, because the answer that told it may be lost. `in_force`: the plan
    two agreed on, None before; `waiting`: the plan that `request_id`, the latest request, is about.
    """

    __tablename__ = "client_registration"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str]
    name: Mapped[str]
    initial_token_id: Mapped[UUID]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    previous_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    request_id: Mapped[UUID]
    in_force: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    waiting: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    registered_at: Mapped[datetime] = mapped_column(_TIME)
    changed_at: Mapped[datetime] = mapped_column(_TIME)
    ended_at: Mapped[datetime | None] = mapped_column(_TIME)
