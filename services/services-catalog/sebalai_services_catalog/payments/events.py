"""Facts about bills and their money: ids and rupiah; no bill code, no payer, no account."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel
from sebalai_shared.events import Event

from sebalai_services_catalog.payments.machine import BillState

SOURCE = "urn:sebalai:catalog"
Kind = Literal["opened", "settled", "expired", "cancelled", "exceeded", "refunded"]


class BillMoved(BaseModel):
    """`rupiah` is the bill's amount; for `exceeded` and `refunded` the payment's."""

    bill_id: UUID
    request_id: UUID
    service: str
    agency: str
    rupiah: int
    state: BillState


def type_of(kind: Kind) -> str:
    return f"catalog.bill.{kind}.v1"


FACTS: dict[str, type[BaseModel]] = {
    type_of(kind): BillMoved
    for kind in ("opened", "settled", "expired", "cancelled", "exceeded", "refunded")
}


def fact(kind: Kind, data: BillMoved, at: datetime) -> Event:
    return Event(type_of(kind), SOURCE, str(data.bill_id), data.model_dump(mode="json"), at)
