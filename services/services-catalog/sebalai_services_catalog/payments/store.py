"""SQL of bills and payments. Whoever sees the request sees its bill: callers check that first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.payments.model import Bill, Payment

PAYMENTS_MAX = 50


async def claim_code(session: AsyncSession, values: dict[str, Any]) -> Bill | None:
    """Null when another bill has the code."""
    query = insert(Bill).values(values).on_conflict_do_nothing(index_elements=["code"])
    return (await session.scalars(query.returning(Bill))).one_or_none()


async def of_request(session: AsyncSession, request_id: UUID) -> Bill | None:
    query = select(Bill).where(Bill.request_id == request_id)
    return (await session.scalars(query)).one_or_none()


async def hold(session: AsyncSession, request_id: UUID) -> Bill | None:
    """The bill of a request, locked to the transaction's end; lock the request first."""
    query = select(Bill).where(Bill.request_id == request_id).with_for_update()
    return (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def request_of(session: AsyncSession, code: str) -> UUID | None:
    return await session.scalar(select(Bill.request_id).where(Bill.code == code))


async def payments(session: AsyncSession, bill_id: UUID) -> Sequence[Payment]:
    query = select(Payment).where(Payment.bill_id == bill_id).order_by(Payment.id)
    return (await session.scalars(query.limit(PAYMENTS_MAX))).all()


async def by_reference(
    session: AsyncSession, via: str, agency: str, reference: str
) -> Payment | None:
    query = select(Payment).where(
        Payment.via == via, Payment.agency == agency, Payment.reference == reference
    )
    return (await session.scalars(query)).one_or_none()


async def claim_reference(session: AsyncSession, values: dict[str, Any]) -> Payment | None:
    """Null when a payment with this reference is there, or comes in another transaction."""
    query = (
        insert(Payment)
        .values(values)
        .on_conflict_do_nothing(index_elements=["via", "agency", "reference"])
    )
    return (await session.scalars(query.returning(Payment))).one_or_none()


async def accounts_wanted(session: AsyncSession, now: datetime, limit: int) -> Sequence[Bill]:
    query = select(Bill).where(Bill.account.is_(None), Bill.state == "open", Bill.pay_until > now)
    return (await session.scalars(query.order_by(Bill.id).limit(limit))).all()


async def accounts_ended(session: AsyncSession, limit: int) -> Sequence[Bill]:
    """Accounts of bills that are no longer open, which the gateway still holds open."""
    query = select(Bill).where(
        Bill.account.is_not(None), Bill.account_closed.is_(False), Bill.state != "open"
    )
    return (await session.scalars(query.order_by(Bill.id).limit(limit))).all()


async def write_account(session: AsyncSession, key: UUID, **columns: Any) -> None:
    await session.execute(update(Bill).where(Bill.id == key).values(**columns))
