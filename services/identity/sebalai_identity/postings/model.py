"""Tables of postings and of the delegations between them."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

DEFINITIVE, PLT, PLH = "definitive", "plt", "plh"
AN, UB = "an", "ub"

_TIME = DateTime(timezone=True)


class Posting(Base):
    """A person in a position for a half-open period, by a decree. Exclusion constraints keep one
    holder or Plt., and one Plh., of a position at a time, and one definitive post of a person.
    """

    __tablename__ = "posting"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    position_id: Mapped[UUID] = mapped_column(ForeignKey("position.id"))
    kind: Mapped[str]
    decree: Mapped[str]
    source: Mapped[str]
    end_reason: Mapped[str | None]
    valid_from: Mapped[datetime] = mapped_column(_TIME)
    valid_until: Mapped[datetime | None] = mapped_column(_TIME)
    ended_by: Mapped[str | None]
    is_cancelled: Mapped[bool]
    is_end_told: Mapped[bool]
    recorded_at: Mapped[datetime] = mapped_column(_TIME)


class Delegation(Base):
    """The holder of one posting lets another sign: `an` in their name, `ub` a step below."""

    __tablename__ = "delegation"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    from_posting_id: Mapped[UUID] = mapped_column(ForeignKey("posting.id"))
    to_posting_id: Mapped[UUID] = mapped_column(ForeignKey("posting.id"))
    kind: Mapped[str]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("delegation.id"))
    matters: Mapped[list[str]] = mapped_column(ARRAY(Text))
    decree: Mapped[str]
    end_reason: Mapped[str | None]
    valid_from: Mapped[datetime] = mapped_column(_TIME)
    valid_until: Mapped[datetime] = mapped_column(_TIME)
    ended_by: Mapped[str | None]
    is_cancelled: Mapped[bool]
    is_end_told: Mapped[bool]
    recorded_at: Mapped[datetime] = mapped_column(_TIME)
