"""Tables of outside providers and of the identities people linked there."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_identity.rounds import Round

REQUESTED, ENABLED, REFUSED = "requested", "enabled", "refused"
REPLACED, DISABLED = "replaced", "disabled"

LIFETIME = timedelta(minutes=10)
"""From the button to the way back, and again from there to the link."""
ATTEMPTS = Round("outside_attempt", timedelta(hours=1))
PROOFS = Round("outside_proof", timedelta(hours=1))

_TIME = DateTime(timezone=True)


class OutsideProvider(Base):
    """One version of a provider's settings; at most one of a slug, and of an issuer, is enabled."""

    __tablename__ = "outside_provider"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str]
    issuer: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    reason: Mapped[str | None]
    asked_by: Mapped[str]
    asked_by_system_of: Mapped[str | None]
    decided_by: Mapped[str | None]
    requested_at: Mapped[datetime] = mapped_column(_TIME)
    decided_at: Mapped[datetime | None] = mapped_column(_TIME)


class OutsideIdentity(Base):
    """Whose `sub` at an issuer is whose here. The `sub` itself is not kept, only a keyed hash:
    some providers take the NIK for it.
    """

    __tablename__ = "outside_identity"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    issuer: Mapped[str]
    subject_index: Mapped[bytes]
    person_id: Mapped[UUID]
    linked_at: Mapped[datetime] = mapped_column(_TIME)
    used_at: Mapped[datetime | None] = mapped_column(_TIME)
