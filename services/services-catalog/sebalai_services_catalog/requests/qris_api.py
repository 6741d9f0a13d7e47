"""HTTP of QRIS: a code of a bill when somebody wants to pay by it, and the gateway's notices."""

import logging
from io import BytesIO
from typing import Annotated
from uuid import UUID

import segno
from fastapi import APIRouter, Depends, Request, Response
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import responses

from sebalai_services_catalog.now import Now
from sebalai_services_catalog.payments import actions as payments
from sebalai_services_catalog.payments.actions import (
    AmountDiffers,
    BillNotOpen,
    BillUnknown,
    Code,
    GatewayFailed,
    NoticeRefused,
    NoticesOff,
    PaymentGateway,
    QrisNotice,
    QrisNoticeTaken,
    QrisOff,
    QrisRead,
    QrisUnavailable,
    ReferenceReused,
    TooManyCodes,
)
from sebalai_services_catalog.requests import actions, paying
from sebalai_services_catalog.requests.payment_api import signed
from sebalai_services_catalog.requests.steps import RequestUnknown

log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1/requests", tags=["payments"])
notices = APIRouter(prefix="/v1/payments", tags=["payments"])

QR_SCALE = 6


async def _gateway(request: Request) -> PaymentGateway:
    """Raises: QrisOff."""
    gateway: PaymentGateway | None = getattr(request.app.state, "payment_gateway", None)
    if gateway is None:
        raise QrisOff("Pay by the bill's account or at the counter.")
    return gateway


Gateway = Annotated[PaymentGateway, Depends(_gateway)]


@router.put(
    "/{key}/bill/qris",
    responses=responses(
        RequestUnknown, BillUnknown, BillNotOpen, TooManyCodes, QrisOff, QrisUnavailable
    ),
)
async def ask_for_code(
    key: UUID, request: Request, caller: IdentifiedAccess, gateway: Gateway, clock: Now
) -> QrisRead:
    """A code good for half an hour; the same one while it is. No transaction waits for the bank."""
    database = request.app.state.database
    async with database.transaction() as session:
        await actions.find_request(session, caller=caller, key=key)
        found = await payments.code_or_order(session, key, clock.now())
        bill, _ = await payments.read_bill(session, key)
    if not isinstance(found, Code):
        try:
            content = await gateway.make_code(found.reference, found.rupiah, found.until)
        except GatewayFailed as error:
            log.warning("no code for bill %s: %s", found.bill_id, error)
            raise QrisUnavailable("Try again, or pay by the bill's account.") from error
        async with database.transaction() as session:
            found = await payments.keep_code(session, found, content)
    return QrisRead(content=found.content, rupiah=bill.rupiah, until=found.until)


@router.get(
    "/{key}/bill/qris.svg",
    response_class=Response,
    responses=responses(RequestUnknown, BillUnknown, QrisOff)
    | {200: {"content": {"image/svg+xml": {}}}},
)
async def read_code_image(
    key: UUID, caller: IdentifiedAccess, session: Transaction, clock: Now
) -> Response:
    """The code that is good now, to be shown or printed."""
    await actions.find_request(session, caller=caller, key=key)
    bill, _ = await payments.read_bill(session, key)
    code = payments.good_code(bill, clock.now())
    if code is None:
        raise QrisOff("Ask for a code first (PUT …/bill/qris); it is good for half an hour.")
    image = BytesIO()
    segno.make(code.content, error="m", micro=False).save(image, kind="svg", scale=QR_SCALE)
    return Response(image.getvalue(), media_type="image/svg+xml")


@notices.post(
    "/qris-notices",
    dependencies=[Depends(signed)],
    responses=responses(NoticesOff, NoticeRefused, BillUnknown, AmountDiffers, ReferenceReused),
)
async def take_qris_notice(
    wanted: QrisNotice,
    caller: PublicAccess,  # noqa: ARG001 - public: the signature says who
    session: Transaction,
    clock: Now,
) -> QrisNoticeTaken:
    """The gateway tells of a payment by code, as in SNAP's `qr-mpm-notify`; again is harmless."""
    if wanted.is_paid:
        await paying.take_notice(
            session,
            clock,
            code=payments.bill_code_of(wanted.code),
            reference=payments.REFERENCE_PREFIX + wanted.payment,
            rupiah=wanted.amount.rupiah,
        )
    return QrisNoticeTaken()
