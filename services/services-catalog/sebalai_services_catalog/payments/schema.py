"""Wire shapes of bills, payments, and the notice of the payment gateway."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sebalai_services_catalog.payments.machine import BillState, PaymentState

REFERENCE_LENGTH_MAX = 128
REASON_LENGTH_MAX = 500

Reference = Annotated[
    str, Field(min_length=1, max_length=REFERENCE_LENGTH_MAX, pattern=r"^[^\x00-\x1f]*$")
]


class PaymentRead(BaseModel):
    id: UUID
    via: Literal["gateway", "counter"]
    reference: str
    rupiah: int
    state: PaymentState
    received_at: datetime
    recorded_by: str
    refund_slip: str | None
    refund_reason: str | None
    refunded_by: str | None
    refunded_at: datetime | None


class BillRead(BaseModel):
    """`account` is what a bank takes the money on; null: pay at the agency's counter by `code`.

    `calculation` says how a fee by formula was worked out.
    """

    id: UUID
    request_id: UUID
    code: str
    agency: str
    rupiah: int
    calculation: str | None
    state: BillState
    account: str | None
    opened_at: datetime
    pay_until: datetime
    payments: list[PaymentRead]


class CounterWrite(BaseModel):
    """What the cashier took: the number on the slip that the payer holds, and the amount."""

    model_config = ConfigDict(extra="forbid")

    slip: Reference
    rupiah: Annotated[int, Field(ge=1, le=10**12)]


class RefundWrite(BaseModel):
    """`slip` is the number under which the money went back."""

    model_config = ConfigDict(extra="forbid")

    payment: UUID
    slip: Reference
    reason: Annotated[str, Field(min_length=1, max_length=REASON_LENGTH_MAX, pattern=r"^[^\x00]*$")]


class Amount(BaseModel):
    value: Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=2)]
    currency: Literal["IDR"]

    @property
    def rupiah(self) -> int:
        """Whole rupiah; sen make it 0, which is no bill's amount."""
        return int(self.value) if self.value == int(self.value) else 0


class PaymentNotice(BaseModel):
    """SNAP `transfer-va/payment`, as far as we read it; the payer's name is not kept.

    `trxId` is our bill code, `paymentRequestId` the gateway's number of the payment.
    """

    model_config = ConfigDict(populate_by_name=True)

    bill_code: Annotated[str, Field(alias="trxId", pattern=r"^[0-9]{12}$")]
    reference: Annotated[Reference, Field(alias="paymentRequestId")]
    paid: Annotated[Amount, Field(alias="paidAmount")]


class QrisNotice(BaseModel):
    """SNAP `qr-mpm-notify`, as far as we read it: our number of the code, the gateway's of the
    payment, and whether it went through (`00`).
    """

    code: Annotated[str, Field(alias="originalPartnerReferenceNo", pattern=r"^[0-9]{14}$")]
    payment: Annotated[Reference, Field(alias="originalReferenceNo", max_length=100)]
    status: Annotated[str, Field(alias="latestTransactionStatus", pattern=r"^[0-9]{2}$")]
    amount: Amount

    @property
    def is_paid(self) -> bool:
        return self.status == "00"


class QrisNoticeTaken(BaseModel):
    """SNAP's answer: service 52, done."""

    responseCode: Literal["2005200"] = "2005200"  # noqa: N815 - SNAP's name
    responseMessage: Literal["Successful"] = "Successful"  # noqa: N815 - SNAP's name


class QrisRead(BaseModel):
    """`content` is what stands in the QR code; paid by any bank's or wallet's telephone."""

    content: str
    rupiah: int
    until: datetime


class NoticeTaken(BaseModel):
    """SNAP's answer: service 25, done."""

    responseCode: Literal["2002500"] = "2002500"  # noqa: N815 - SNAP's name
    responseMessage: Literal["Successful"] = "Successful"  # noqa: N815 - SNAP's name
