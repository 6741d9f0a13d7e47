"""Table of civil servants."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

_TIME = DateTime(timezone=True)


class CivilServant(Base):
    """A person with a NIP, in the service of an agency from `valid_from` until `valid_until`."""

    __tablename__ = "civil_servant"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    nip_sealed: Mapped[bytes]
    nip_index: Mapped[bytes] = mapped_column(unique=True)
    nip_key: Mapped[str]
    employment: Mapped[str]
    grade: Mapped[str | None]
    agency: Mapped[str]
    end_reason: Mapped[str | None]
    valid_from: Mapped[datetime] = mapped_column(_TIME)
    valid_until: Mapped[datetime | None] = mapped_column(_TIME)
    changed_at: Mapped[datetime] = mapped_column(_TIME)
