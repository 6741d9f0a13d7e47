"""Tables of applications and the public keys they sign with."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

ACTIVE = "active"
SUSPENDED = "suspended"
ENDED = "ended"
"""By its own client (RFC 7592): for good."""

_TIME = DateTime(timezone=True)


class Application(Base):
    """A system of an agency; `identifier` is its name on the bus."""

    __tablename__ = "application"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID] = mapped_column(unique=True)
    agency: Mapped[str]
    name: Mapped[str]
    identifier: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str]
    reason: Mapped[str | None]
    valid_until: Mapped[datetime | None] = mapped_column(_TIME)
    client: Mapped[dict[str, Any]] = mapped_column(JSONB)
    registered_at: Mapped[datetime] = mapped_column(_TIME)
    changed_at: Mapped[datetime] = mapped_column(_TIME)


class ApplicationKey(Base):
    """A public JWK. `kid` is what the client calls it; `thumbprint` what it is (RFC 7638).
    `is_absent`: it ended only because it no longer stood at the client's `jwks_uri`.
    """

    __tablename__ = "application_key"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"))
    kid: Mapped[str]
    thumbprint: Mapped[str]
    jwk: Mapped[dict[str, Any]] = mapped_column(JSONB)
    is_absent: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[datetime] = mapped_column(_TIME)
    valid_until: Mapped[datetime | None] = mapped_column(_TIME)
