"""A person's signed-in browser. The cookie is a secret of its own, kept only as its SHA-256."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import ARRAY, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column


class SignedIn(Base):
    """One session. `id` is the `sid` of tokens and never changes; the cookie changes with every
    sign-in and step-up. `level` holds since `auth_time`; `floor_level` and `floor_since` are
    what is left when `level` has lapsed.
    """

    __tablename__ = "session"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    subject: Mapped[UUID]
    level: Mapped[int]
    auth_time: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    floor_level: Mapped[int]
    floor_since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    methods: Mapped[list[str]] = mapped_column(ARRAY(Text))
    device: Mapped[str]
    network: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    end_reason: Mapped[str | None]
