"""Table of agreements of the bus as exchange's facts told of them last."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

AgreementState = Literal["granted", "suspended", "revoked", "replaced"]
_Time = DateTime(timezone=True)


class KnownAgreement(Base):
    """Who gives whom which categories of data for what. `consumer`, `provider` and `interface` are
    r1 identifiers, `owner` the agency of the provider; the law stands in the agreement itself.
    """

    __tablename__ = "known_agreement"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    consumer: Mapped[str] = mapped_column(Text)
    provider: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text)
    interface: Mapped[str] = mapped_column(Text)
    purposes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    data_categories: Mapped[list[str]] = mapped_column(ARRAY(Text))
    valid_from: Mapped[datetime] = mapped_column(_Time)
    valid_until: Mapped[datetime] = mapped_column(_Time)
    state: Mapped[AgreementState] = mapped_column(Text)
    seen_at: Mapped[datetime] = mapped_column(_Time)
