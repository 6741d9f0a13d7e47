"""Table of the interfaces that exchange has told of."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

State = Literal["published", "retired"]


class Interface(Base):
    """`seen_at` is the time of the latest fact we took, so that an older one changes nothing."""

    __tablename__ = "known_interface"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    agency: Mapped[str] = mapped_column(Text)
    contract_sha256: Mapped[str] = mapped_column(Text)
    state: Mapped[State] = mapped_column(Text)
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
