"""Table of peers: other instances, and what is trusted of them."""

from datetime import datetime
from typing import Any

from sebalai_shared.database import Base
from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

ACTIVE = "active"
ENDED = "ended"


class Peer(Base):
    """`keys` are those its gateway signs with (JWK), `ledger_key` the one its receipts are checked
    by, `offers` the interfaces of ours that it may call.
    """

    __tablename__ = "peer"

    instance: Mapped[str] = mapped_column(Text, primary_key=True)
    gateway: Mapped[str] = mapped_column(Text)
    keys: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    ledger_key: Mapped[str] = mapped_column(Text)
    offers: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    changed_by: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
