"""Tables of businesses and of who may represent them."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import ARRAY, DateTime, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

_TIME = DateTime(timezone=True)
ACTIVE, CLOSED = "active", "closed"


class Business(Base):
    """A body or person with a NIB. The NIB of a sole trader names a person: it lies sealed."""

    __tablename__ = "business"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    nib_sealed: Mapped[bytes]
    nib_index: Mapped[bytes] = mapped_column(unique=True)
    nib_key: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str | None]
    registered_at: Mapped[datetime] = mapped_column(_TIME)
    changed_at: Mapped[datetime] = mapped_column(_TIME)


class Representation(Base):
    """A person who may act for a business, for a half-open period, on the ground of a document.
    `matters`: the codes of services and purposes it is limited to; None: whatever the business may.
    """

    __tablename__ = "representation"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    business_id: Mapped[UUID] = mapped_column(ForeignKey("business.id"))
    person_id: Mapped[UUID]
    capacity: Mapped[str]
    document: Mapped[str]
    matters: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    valid_from: Mapped[datetime] = mapped_column(_TIME)
    valid_until: Mapped[datetime | None] = mapped_column(_TIME)
    end_reason: Mapped[str | None]
    recorded_at: Mapped[datetime] = mapped_column(_TIME)
