"""Table of agreements: who may call which interface, how, why and until when."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import BigInteger, DateTime, FetchedValue, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column


class Agreement(Base):
    """One version of what two sides agreed; `series` holds the versions together.

    `state` is what was decided; that time has run out is derived, never written. `approvals` are
    `{by, at}` of those who said yes so far.
    """

    __tablename__ = "agreement"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    series: Mapped[UUID]
    replaces: Mapped[UUID | None] = mapped_column(ForeignKey("agreement.id"))
    consumer: Mapped[str] = mapped_column(Text)
    interface_id: Mapped[UUID] = mapped_column(ForeignKey("interface.id"))
    interface: Mapped[str] = mapped_column(Text)
    provider: Mapped[str] = mapped_column(Text)
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    purposes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    data_categories: Mapped[list[str]] = mapped_column(ARRAY(Text))
    valid_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    valid_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    quota_per_day: Mapped[int]
    quota_per_month: Mapped[int | None] = mapped_column(BigInteger)
    rate_per_second: Mapped[int]
    burst: Mapped[int]
    min_assurance: Mapped[int]
    bound_addresses: Mapped[list[str]] = mapped_column(ARRAY(Text))
    bound_certificates: Mapped[list[str]] = mapped_column(ARRAY(Text))
    signing: Mapped[str] = mapped_column(Text)
    asking_side: Mapped[str] = mapped_column(Text)
    approvals: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    consumer_owner: Mapped[str] = mapped_column(Text, FetchedValue())
    provider_owner: Mapped[str] = mapped_column(Text, FetchedValue())
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    granted_by: Mapped[str | None] = mapped_column(Text)
    granted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    changed_by: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
