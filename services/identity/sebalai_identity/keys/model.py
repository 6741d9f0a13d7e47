"""Tables of the signing ring."""

from datetime import datetime
from typing import Any

from sebalai_shared.database import Base
from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

NEXT = "next"
ACTIVE = "active"
RETIRING = "retiring"
RETIRED = "retired"
COMPROMISED = "compromised"
PUBLISHED = (NEXT, ACTIVE, RETIRING)


class SigningKey(Base):
    """next (published, signs nothing yet), active, retiring (verifies still), retired;
    compromised: out at once, whatever it signed.
    """

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    algorithm: Mapped[str]
    jwk: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class KeyRing(Base):
    """One row: the version of what is published; its lock orders all changes of the ring."""

    __tablename__ = "key_ring"

    is_only: Mapped[bool] = mapped_column(primary_key=True)
    version: Mapped[int]
