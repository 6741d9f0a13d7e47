"""A request's bill, or that it has none."""

from uuid import UUID

from sebalai_shared.problems import NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.payments import store
from sebalai_services_catalog.payments.model import Bill


class BillUnknown(NotFound):
    slug, title = "bill-unknown", "There is no such bill"


async def hold_bill(session: AsyncSession, request_id: UUID) -> Bill:
    """Locked to the transaction's end; lock the request before. Raises: BillUnknown."""
    bill = await store.hold(session, request_id)
    if bill is None:
        raise BillUnknown("The request asks no fee, or is not accepted yet.")
    return bill
