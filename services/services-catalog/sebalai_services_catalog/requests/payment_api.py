"""HTTP of fees: a request's bill, money at the counter, money back, notices of the gateway."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent, KeyReused
from sebalai_shared.problems import responses

from sebalai_services_catalog.now import Now
from sebalai_services_catalog.payments import actions as payments
from sebalai_services_catalog.payments.actions import (
    AmountDiffers,
    BillRead,
    BillUnknown,
    CounterWrite,
    NoticeRefused,
    NoticesOff,
    NoticeTaken,
    PaymentNotice,
    PaymentNotRefundable,
    PaymentUnknown,
    ReferenceReused,
    RefundWrite,
)
from sebalai_services_catalog.requests import actions, paying
from sebalai_services_catalog.requests.paying import CounterClosed
from sebalai_services_catalog.requests.steps import RequestUnknown, StepRefused

bills = APIRouter(prefix="/v1/requests", tags=["payments"])
notices = APIRouter(prefix="/v1/payments", tags=["payments"])

Timestamp = Annotated[str, Header(alias="X-TIMESTAMP", max_length=40)]
Signature = Annotated[str, Header(alias="X-SIGNATURE", max_length=200)]


async def _counter_is_open(request: Request) -> None:
    if request.app.state.settings.payments_url:
        raise CounterClosed("The bill's account takes the money.")


@bills.get("/{key}/bill", responses=responses(RequestUnknown, BillUnknown))
async def read_bill(key: UUID, caller: IdentifiedAccess, session: Transaction) -> BillRead:
    """What is owed, by which code or account, until when, and what came."""
    await actions.find_request(session, caller=caller, key=key)
    return payments.bill_read(*await payments.read_bill(session, key))


@bills.post(
    "/{key}/bill/payments",
    dependencies=[Depends(_counter_is_open)],
    responses=responses(
        RequestUnknown, BillUnknown, StepRefused, CounterClosed, AmountDiffers, ReferenceReused,
        KeyReused,
    ),
)  # fmt: skip
async def take_at_counter(
    key: UUID,
    wanted: CounterWrite,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    clock: Now,
) -> BillRead:
    """Scope `catalog.write`, not the one who made the bill; only without a payment gateway."""

    async def make() -> BillRead:
        money = (wanted.slip, wanted.rupiah)
        await paying.take_at_counter(session, clock, caller=caller, key=key, money=money)
        return payments.bill_read(*await payments.read_bill(session, key))

    return await once.answer(session, BillRead, make)


@bills.post(
    "/{key}/bill/refunds",
    responses=responses(
        RequestUnknown, BillUnknown, StepRefused, PaymentUnknown, PaymentNotRefundable, KeyReused
    ),
)
async def give_back(
    key: UUID,
    wanted: RefundWrite,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    clock: Now,
) -> BillRead:
    """Scope `catalog.decide`, not the one who took the money: what came too much, or for nothing.

    It records what the treasurer gave back; no money moves by this call.
    """

    async def make() -> BillRead:
        given = (wanted.slip, wanted.reason)
        await paying.give_back(
            session, clock, caller=caller, key=key, payment=wanted.payment, given=given
        )
        return payments.bill_read(*await payments.read_bill(session, key))

    return await once.answer(session, BillRead, make)


async def signed(
    request: Request, clock: Now, x_timestamp: Timestamp, x_signature: Signature
) -> None:
    """Raises: NoticesOff, NoticeRefused."""
    settings = request.app.state.settings
    if not settings.payments_url:
        raise NoticesOff("The counter takes the fees.")
    secret = settings.payments_secret.get_secret_value()
    headers, path = (x_timestamp, x_signature), f"/api/catalog{request.url.path}"
    payments.check_notice(secret, await request.body(), headers, clock.now(), path)


@notices.post(
    "/notices",
    dependencies=[Depends(signed)],
    responses=responses(NoticesOff, NoticeRefused, BillUnknown, AmountDiffers, ReferenceReused),
)
async def take_notice(
    wanted: PaymentNotice,
    caller: PublicAccess,  # noqa: ARG001 - public: the signature says who
    session: Transaction,
    clock: Now,
) -> NoticeTaken:
    """The payment gateway tells of money, as in SNAP's `transfer-va/payment`; again is harmless."""
    await paying.take_notice(
        session, clock, code=wanted.bill_code, reference=wanted.reference, rupiah=wanted.paid.rupiah
    )
    return NoticeTaken()
