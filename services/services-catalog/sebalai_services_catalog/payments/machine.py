"""The life of a bill and of the money that comes for it; pure.

A bill is paid once. Money that comes when nothing is owed (twice, or after the bill ended) is never
refused and never lost: it is kept apart as owed back until it was given back.
"""

from typing import Literal

BillState = Literal["open", "paid", "expired", "cancelled"]
PaymentState = Literal["kept", "owed", "refunded"]
End = Literal["expire", "cancel"]

ENDS: dict[End, BillState] = {"expire": "expired", "cancel": "cancelled"}


class NotRefundable(ValueError):
    pass


def receive(bill: BillState) -> tuple[BillState, PaymentState]:
    """The bill after money came for it, and what becomes of the money."""
    return ("paid", "kept") if bill == "open" else (bill, "owed")


def end(bill: BillState, how: End) -> BillState:
    """Only an open bill ends; a paid one stays paid, whatever becomes of the request."""
    return ENDS[how] if bill == "open" else bill


def refund(payment: PaymentState, *, earned: bool) -> PaymentState:
    """`earned`: the request still gets, or got, its product, so a kept fee stays.

    Raises: NotRefundable.
    """
    if payment == "refunded":
        raise NotRefundable("it was given back already")
    if payment == "kept" and earned:
        raise NotRefundable("the request it paid for was not closed without its product")
    return "refunded"
