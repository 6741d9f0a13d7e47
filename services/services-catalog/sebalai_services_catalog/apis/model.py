"""Tables of what exchange has told of: interfaces by its facts, and its lists as last read."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

State = Literal["published", "retired"]
Kind = Literal["interface", "event"]
Lifecycle = Literal["active", "deprecated", "retired"]


class Interface(Base):
    """`seen_at` is the time of the latest fact we took, so that an older one changes nothing."""

    __tablename__ = "known_interface"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    agency: Mapped[str] = mapped_column(Text)
    contract_sha256: Mapped[str] = mapped_column(Text)
    state: Mapped[State] = mapped_column(Text)
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ListedApi(Base):
    """An interface or event type as exchange listed it last; `calls` and by how many, of 30 days.

    `contract` is a path of this platform. What is listed no more stays, as retired.
    """

    __tablename__ = "listed_api"

    kind: Mapped[Kind] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    agency: Mapped[str] = mapped_column(Text)
    provider: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    lifecycle: Mapped[Lifecycle] = mapped_column(Text)
    deprecated_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    successor: Mapped[str | None] = mapped_column(Text)
    data_categories: Mapped[list[str]] = mapped_column(ARRAY(Text))
    contract: Mapped[str] = mapped_column(Text)
    calls: Mapped[int] = mapped_column(BigInteger)
    consumers: Mapped[int] = mapped_column(BigInteger)
    agencies: Mapped[int] = mapped_column(BigInteger)
    last_used_on: Mapped[date | None]
