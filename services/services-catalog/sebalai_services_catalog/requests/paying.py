"""Fees of requests: the bill at acceptance, the money that lets the request go on, giving it back.

Every function locks the request before its bill, so that a payment and a lapse, or two notices of
one payment, come one after the other.
"""

from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.problems import Conflict, FieldInvalid
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.payments import actions as payments
from sebalai_services_catalog.payments.actions import Fee, GivenBack, Money
from sebalai_services_catalog.requests import store
from sebalai_services_catalog.requests.access import is_officer_of, may_decide_for
from sebalai_services_catalog.requests.machine import CLOSED
from sebalai_services_catalog.requests.model import ServiceRequest
from sebalai_services_catalog.requests.schema import WorkedOutFee
from sebalai_services_catalog.requests.steps import (
    Hand,
    Step,
    StepRefused,
    take_in_hand,
    take_platform_step,
    take_step,
)
from sebalai_services_catalog.requests.windows import opened
from sebalai_services_catalog.services.actions import Fee as StandardFee

PAY_WORKING_DAYS = 14
"""As long as a returned file waits for its applicant."""


class CounterClosed(Conflict):
    slug, title = "payment-counter-closed", "Fees are paid through the payment gateway here"


def fee_due(
    standard: StandardFee | None, row: ServiceRequest, worked_out: WorkedOutFee | None
) -> Fee | None:
    """What the applicant owes before work begins, by the channel of filing; null when nothing, or
    when it was billed before.

    Raises: FieldInvalid when `worked_out` is missing for a formula, or given without one.
    """
    asked = standard.on(row.channel) if standard is not None else None
    by_formula = asked is not None and asked.kind == "formula" and not row.verified
    if by_formula != (worked_out is not None):
        why = "The fee goes by formula: say what it gives." if by_formula else "No formula here."
        raise FieldInvalid("/fee", why)
    if worked_out is not None:
        found = Fee(worked_out.rupiah, worked_out.calculation)
    else:
        is_fixed = asked is not None and asked.kind == "fixed" and not row.verified
        found = Fee((asked.rupiah or 0) if asked is not None and is_fixed else 0)
    return found if found.rupiah > 0 else None


async def bill(session: AsyncSession, hand: Hand, fee: Fee) -> None:
    """The request waits for its fee until `reply_by`. Raises: StepImpossible, StepRefused."""
    row = hand.row
    term = opened(hand.known, row.agency, "reply_by", hand.at, PAY_WORKING_DAYS)
    columns: dict[str, Any] = term | {"reminders": 0}
    await take_step(session, hand, Step("bill", None, {"rupiah": fee.rupiah}, columns))
    about = payments.About(
        row.id, row.service, row.agency, str(hand.caller.subject), term["reply_by"]
    )
    await payments.open_bill(session, about, fee, hand.at)


async def take_notice(
    session: AsyncSession, clock: Clock, *, code: str, reference: str, rupiah: int
) -> None:
    """Money that the gateway says came. Telling it again changes nothing.

    Raises: BillUnknown, AmountDiffers, ReferenceReused.
    """
    row = await store.hold_for_platform(session, await payments.request_of(session, code))
    await _take(session, clock, row, Money("gateway", reference, rupiah, "gateway"))


async def take_at_counter(
    session: AsyncSession, clock: Clock, *, caller: Caller, key: UUID, money: tuple[str, int]
) -> ServiceRequest:
    """`money`: number on the slip and rupiah, taken by an officer who did not make the bill.

    Raises: RequestUnknown, StepRefused, BillUnknown, AmountDiffers, ReferenceReused.
    """
    hand = await take_in_hand(session, clock, caller=caller, key=key, revision=None)
    row = hand.row
    if not is_officer_of(caller, row.agency):
        raise StepRefused(f"Taking money is for an officer of {row.agency}.")
    found, _ = await payments.read_bill(session, row.id)
    if found.billed_by == caller.subject:
        raise StepRefused("Who made the bill does not take its money; a second officer does.")
    slip, rupiah = money
    await _take(session, clock, row, Money("counter", slip, rupiah, str(caller.subject)))
    return row


async def _take(session: AsyncSession, clock: Clock, row: ServiceRequest, money: Money) -> None:
    payment, has_paid = await payments.take_payment(session, row.id, money, clock.now())
    if has_paid:
        detail = {"payment": str(payment.id), "via": money.via}
        columns: dict[str, Any] = {"reply_by": None, "reminders": 0}
        paid = Step("pay", None, detail, columns)
        await take_platform_step(session, clock, row=row, wanted=paid)


async def give_back(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    key: UUID,
    payment: UUID,
    given: tuple[str, str],
) -> ServiceRequest:
    """`given`: number on the slip and reason; decided by another than the one who took the money.

    Raises: RequestUnknown, StepRefused, BillUnknown, PaymentUnknown, PaymentNotRefundable.
    """
    hand = await take_in_hand(session, clock, caller=caller, key=key, revision=None)
    row = hand.row
    if not may_decide_for(caller, row.agency):
        raise StepRefused(f"Giving money back is decided by a signer of {row.agency}.")
    _, taken = await payments.read_bill(session, row.id)
    if any(one.id == payment and one.recorded_by == caller.subject for one in taken):
        raise StepRefused("Who took the money does not give it back; another officer decides.")
    earned = row.state not in CLOSED or row.state == "issued"
    back = GivenBack(given[0], given[1], str(caller.subject))
    await payments.give_back(session, row.id, payment, back, earned=earned, at=hand.at)
    return row
