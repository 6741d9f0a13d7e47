"""Tables of bills and payments. No row names the payer: the request knows its applicant."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import BigInteger, DateTime, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_services_catalog.payments.machine import BillState, PaymentState

Via = Literal["gateway", "counter"]
_Time = DateTime(timezone=True)


class Bill(Base):
    """One a request. `account` is the number at the payment gateway, null until it gave one;
    `account_closed` once it takes no more money for it. `qris` is the last code made for it, good
    until `qris_until`, the `qris_number`th.
    """

    __tablename__ = "bill"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID]
    code: Mapped[str] = mapped_column(Text)
    agency: Mapped[str] = mapped_column(Text)
    service: Mapped[str] = mapped_column(Text)
    rupiah: Mapped[int] = mapped_column(BigInteger)
    calculation: Mapped[str | None] = mapped_column(Text)
    state: Mapped[BillState] = mapped_column(Text)
    account: Mapped[str | None] = mapped_column(Text)
    account_closed: Mapped[bool] = mapped_column(default=False)
    qris: Mapped[str | None] = mapped_column(Text)
    qris_until: Mapped[datetime | None] = mapped_column(_Time)
    qris_number: Mapped[int] = mapped_column(default=0)
    billed_by: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(_Time)
    pay_until: Mapped[datetime] = mapped_column(_Time)


class Payment(Base):
    """Money that came. `reference` is the gateway's number of it, or that on the cashier's slip."""

    __tablename__ = "payment"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"))
    agency: Mapped[str] = mapped_column(Text)
    via: Mapped[Via] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text)
    rupiah: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[PaymentState] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(_Time)
    recorded_by: Mapped[str] = mapped_column(Text)
    refund_slip: Mapped[str | None] = mapped_column(Text)
    refund_reason: Mapped[str | None] = mapped_column(Text)
    refunded_by: Mapped[str | None] = mapped_column(Text)
    refunded_at: Mapped[datetime | None] = mapped_column(_Time)
