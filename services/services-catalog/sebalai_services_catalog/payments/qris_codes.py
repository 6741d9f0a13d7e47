"""Decisions about QRIS codes of bills: one is asked for when somebody wants to pay, and kept while
it is good. Money that comes by an older code is money for the same bill.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sebalai_shared.problems import Conflict, NotFound, Unavailable
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.payments import store
from sebalai_services_catalog.payments.codes import CODE_LENGTH
from sebalai_services_catalog.payments.lookup import hold_bill
from sebalai_services_catalog.payments.model import Bill

GOOD_FOR = timedelta(minutes=30)
SPARE = timedelta(minutes=5)
"""A code with less left is asked for anew: paying takes a moment."""
CODES_A_BILL_MAX = 50
REFERENCE_PREFIX = "qris:"
"""Numbers of payments by QRIS and by account are two series of the gateway."""


class QrisOff(NotFound):
    slug, title = "qris-off", "Nobody pays by QRIS here"


class BillNotOpen(Conflict):
    slug, title = "bill-not-open", "The bill takes no more money"


class TooManyCodes(Conflict):
    slug, title = "qris-codes-spent", "So many codes were made for this bill already"


class QrisUnavailable(Unavailable):
    slug, title = "qris-unavailable", "The payment gateway gives no code now"


@dataclass(frozen=True, slots=True)
class Code:
    content: str
    until: datetime


@dataclass(frozen=True, slots=True)
class CodeOrder:
    """`reference` is the bill's code and the number of this code."""

    bill_id: UUID
    reference: str
    rupiah: int
    until: datetime


async def code_or_order(session: AsyncSession, request_id: UUID, now: datetime) -> Code | CodeOrder:
    """The code that is still good, or what the gateway is to be asked; each order has its number.

    Raises: BillUnknown, BillNotOpen, TooManyCodes.
    """
    bill = await hold_bill(session, request_id)
    if bill.state != "open" or bill.pay_until <= now:
        raise BillNotOpen("It is paid, or its term is over.")
    good = good_code(bill, now + SPARE)
    if good is not None:
        return good
    if bill.qris_number >= CODES_A_BILL_MAX:
        raise TooManyCodes("Pay by the account, or ask the agency.")
    bill.qris_number += 1
    await session.flush()
    reference = f"{bill.code}{bill.qris_number:02d}"
    return CodeOrder(bill.id, reference, bill.rupiah, min(now + GOOD_FOR, bill.pay_until))


def good_code(bill: Bill, at: datetime) -> Code | None:
    """What an open bill's code is, if it is good until then."""
    if bill.state != "open" or bill.qris is None or bill.qris_until is None or bill.qris_until < at:
        return None
    return Code(bill.qris, bill.qris_until)


async def keep_code(session: AsyncSession, order: CodeOrder, content: str) -> Code:
    await store.write_account(session, order.bill_id, qris=content, qris_until=order.until)
    return Code(content, order.until)


def bill_code_of(reference: str) -> str:
    """The bill that a code was made for."""
    return reference[:CODE_LENGTH]
