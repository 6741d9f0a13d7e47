"""Decisions about bills: made, ended, paid, given back. Knows no request but by its id."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.calendar.actions import civil_date
from sebalai_services_catalog.payments import store
from sebalai_services_catalog.payments.codes import is_code, new_code
from sebalai_services_catalog.payments.events import BillMoved, Kind, fact
from sebalai_services_catalog.payments.gateway import PaymentGateway
from sebalai_services_catalog.payments.lookup import BillUnknown, hold_bill
from sebalai_services_catalog.payments.machine import End, NotRefundable, end, receive, refund
from sebalai_services_catalog.payments.model import Bill, Payment, Via
from sebalai_services_catalog.payments.notices import NoticeRefused, NoticesOff, check_notice
from sebalai_services_catalog.payments.qris_codes import (
    REFERENCE_PREFIX,
    BillNotOpen,
    Code,
    QrisOff,
    QrisUnavailable,
    TooManyCodes,
    bill_code_of,
    code_or_order,
    good_code,
    keep_code,
)
from sebalai_services_catalog.payments.schema import (
    BillRead,
    CounterWrite,
    NoticeTaken,
    PaymentNotice,
    PaymentRead,
    QrisNotice,
    QrisNoticeTaken,
    QrisRead,
    RefundWrite,
)
from sebalai_services_catalog.payments.snap import GatewayFailed

__all__ = [
    "REFERENCE_PREFIX",
    "BillNotOpen",
    "BillRead",
    "BillUnknown",
    "Code",
    "CounterWrite",
    "End",
    "GatewayFailed",
    "NoticeRefused",
    "NoticeTaken",
    "NoticesOff",
    "PaymentGateway",
    "PaymentNotice",
    "QrisNotice",
    "QrisNoticeTaken",
    "QrisOff",
    "QrisRead",
    "QrisUnavailable",
    "RefundWrite",
    "TooManyCodes",
    "bill_code_of",
    "check_notice",
    "code_or_order",
    "good_code",
    "keep_code",
]

CODE_TRIES = 5


class PaymentUnknown(NotFound):
    slug, title = "payment-unknown", "The bill has no such payment"


class AmountDiffers(Conflict):
    slug, title = "payment-amount-differs", "The amount is not the bill's"


class ReferenceReused(Conflict):
    slug, title = "payment-reference-reused", "Another payment has this number"


class PaymentNotRefundable(Conflict):
    slug, title = "payment-not-refundable", "This payment is not given back"


@dataclass(frozen=True, slots=True)
class Fee:
    """What is owed: `rupiah` above 0, and how it was worked out where a formula says so."""

    rupiah: int
    calculation: str | None = None


@dataclass(frozen=True, slots=True)
class About:
    """Whose bill it is: the request, its service and agency, who asks the fee, until when."""

    request_id: UUID
    service: str
    agency: str
    billed_by: str
    pay_until: datetime


@dataclass(frozen=True, slots=True)
class Money:
    """`reference` is the gateway's payment number or the number on the cashier's slip."""

    via: Via
    reference: str
    rupiah: int
    recorded_by: str


@dataclass(frozen=True, slots=True)
class GivenBack:
    slip: str
    reason: str
    by: str


async def open_bill(session: AsyncSession, about: About, fee: Fee, at: datetime) -> Bill:
    """The request's bill, with a code that a cash machine takes."""
    for _ in range(CODE_TRIES):
        values = {
            "id": uuid7(), "request_id": about.request_id, "code": new_code(civil_date(at).year),
            "agency": about.agency, "service": about.service, "rupiah": fee.rupiah,
            "calculation": fee.calculation, "state": "open", "account_closed": False,
            "billed_by": about.billed_by, "opened_at": at, "pay_until": about.pay_until,
        }  # fmt: skip
        bill = await store.claim_code(session, values)
        if bill is not None:
            await _tell(session, bill, "opened", bill.rupiah, at)
            return bill
    raise RuntimeError("no free bill code found")


async def end_bill(session: AsyncSession, request_id: UUID, how: End, at: datetime) -> None:
    """The request went away: an open bill ends, any other stays. No bill is no error."""
    bill = await store.hold(session, request_id)
    if bill is None or bill.state != "open":
        return
    bill.state = end(bill.state, how)
    await session.flush()
    await _tell(session, bill, "expired" if how == "expire" else "cancelled", bill.rupiah, at)


async def extend_bill(session: AsyncSession, request_id: UUID, until: datetime) -> None:
    """A later last day to pay, for an open bill; its account at the gateway keeps the old one."""
    bill = await store.hold(session, request_id)
    if bill is not None and bill.state == "open":
        bill.pay_until = max(bill.pay_until, until)
        await session.flush()


async def read_bill(session: AsyncSession, request_id: UUID) -> tuple[Bill, Sequence[Payment]]:
    """Raises: BillUnknown."""
    bill = await store.of_request(session, request_id)
    if bill is None:
        raise BillUnknown("The request asks no fee, or is not accepted yet.")
    return bill, await store.payments(session, bill.id)


def bill_read(bill: Bill, payments: Sequence[Payment]) -> BillRead:
    plain = {name: getattr(bill, name) for name in BillRead.model_fields if name != "payments"}
    reads = [PaymentRead.model_validate(one, from_attributes=True) for one in payments]
    return BillRead(**plain, payments=reads)


async def request_of(session: AsyncSession, code: str) -> UUID:
    """The request that a bill code belongs to. Raises: BillUnknown."""
    found = await store.request_of(session, code) if is_code(code) else None
    if found is None:
        raise BillUnknown("Check the bill code.")
    return found


async def take_payment(
    session: AsyncSession, request_id: UUID, money: Money, at: datetime
) -> tuple[Payment, bool]:
    """Records money once, however often it is told, and whether it paid the bill just now.

    Lock the request before. Raises: BillUnknown, AmountDiffers, ReferenceReused.
    """
    bill = await hold_bill(session, request_id)
    known = await store.by_reference(session, money.via, bill.agency, money.reference)
    if known is not None:
        if (known.bill_id, known.rupiah) != (bill.id, money.rupiah):
            raise ReferenceReused("It was told before with another bill or amount.")
        return known, False
    if money.rupiah != bill.rupiah:
        raise AmountDiffers(f"The bill asks {bill.rupiah} rupiah.", rupiah=bill.rupiah)
    return await _record(session, bill, money, at)


async def _record(
    session: AsyncSession, bill: Bill, money: Money, at: datetime
) -> tuple[Payment, bool]:
    state, kept = receive(bill.state)
    payment = await store.claim_reference(
        session,
        {
            "id": uuid7(), "bill_id": bill.id, "agency": bill.agency, "via": money.via,
            "reference": money.reference, "rupiah": money.rupiah, "state": kept,
            "received_at": at, "recorded_by": money.recorded_by,
        },
    )  # fmt: skip
    if payment is None:
        raise ReferenceReused("It was told for another bill at the same moment.")
    bill.state = state
    await session.flush()
    await _tell(session, bill, "settled" if kept == "kept" else "exceeded", payment.rupiah, at)
    return payment, kept == "kept"


async def give_back(
    session: AsyncSession,
    request_id: UUID,
    key: UUID,
    given: GivenBack,
    *,
    earned: bool,
    at: datetime,
) -> None:
    """Records that a payment was given back. Lock the request before.

    Raises: BillUnknown, PaymentUnknown, PaymentNotRefundable.
    """
    bill = await hold_bill(session, request_id)
    payment = await payment_of(session, bill, key)
    try:
        payment.state = refund(payment.state, earned=earned)
    except NotRefundable as error:
        raise PaymentNotRefundable(f"Not given back: {error}.") from error
    payment.refund_slip, payment.refund_reason = given.slip, given.reason
    payment.refunded_by, payment.refunded_at = given.by, at
    await session.flush()
    await _tell(session, bill, "refunded", payment.rupiah, at)


async def payment_of(session: AsyncSession, bill: Bill, key: UUID) -> Payment:
    """Raises: PaymentUnknown."""
    for payment in await store.payments(session, bill.id):
        if payment.id == key:
            return payment
    raise PaymentUnknown("Look at the bill's payments.")


async def _tell(session: AsyncSession, bill: Bill, kind: Kind, rupiah: int, at: datetime) -> None:
    moved = BillMoved(
        bill_id=bill.id, request_id=bill.request_id, service=bill.service, agency=bill.agency,
        rupiah=rupiah, state=bill.state,
    )  # fmt: skip
    await publish(session, fact(kind, moved, at))
