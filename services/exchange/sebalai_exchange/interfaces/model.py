"""Tables of interfaces and of the contracts they have offered."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import BigInteger, DateTime, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

ACTIVE = "active"
RETIRED = "retired"


class Contract(Base):
    """An OpenAPI document by digest; kept for good, because receipts name it."""

    __tablename__ = "contract"

    sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    document: Mapped[str] = mapped_column(Text)
    stored_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Interface(Base):
    __tablename__ = "interface"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    title: Mapped[str] = mapped_column(Text)
    provider: Mapped[str] = mapped_column(Text)
    agency: Mapped[str] = mapped_column(Text)
    addresses: Mapped[list[str]] = mapped_column(ARRAY(Text))
    member: Mapped[str | None] = mapped_column(Text)
    contract_sha256: Mapped[str] = mapped_column(ForeignKey("contract.sha256"))
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    connect_timeout_ms: Mapped[int]
    read_timeout_ms: Mapped[int]
    total_timeout_ms: Mapped[int]
    max_request_bytes: Mapped[int] = mapped_column(BigInteger)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
