"""Tables of interfaces and of the contracts they have offered."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import BigInteger, DateTime, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

ACTIVE = "active"
RETIRED = "retired"


class Contract(Base):
    """An OpenAPI document by digest; kept for good, because receipts name it."""

    __tablename__ = "contract"

    sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    document: Mapped[str] = mapped_column(Text)
    stored_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    outline: Mapped[str | None] = mapped_column(Text)
    pack: Mapped[str | None] = mapped_column(Text)


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
    max_concurrency: Mapped[int] = mapped_column(default=512)
    contract_version: Mapped[int] = mapped_column(default=1)
    validate_requests: Mapped[str] = mapped_column(Text, default="off")
    validate_responses: Mapped[str] = mapped_column(Text, default="off")
    deprecated_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    sunset_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    successor: Mapped[str | None] = mapped_column(Text)
    trust_anchors: Mapped[str] = mapped_column(Text, default="")
    credential: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class InterfaceVersion(Base):
    """What was published when, what it broke, and the contract as consumers are served it."""

    __tablename__ = "interface_version"

    interface_id: Mapped[UUID] = mapped_column(ForeignKey("interface.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    contract_sha256: Mapped[str] = mapped_column(ForeignKey("contract.sha256"))
    contract_version: Mapped[str] = mapped_column(Text)
    breaks: Mapped[list[Any]] = mapped_column(JSONB)
    served: Mapped[str | None] = mapped_column(Text)
    published_by: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
