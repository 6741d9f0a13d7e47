"""The life of a bill as pure rules: paid once, and no rupiah lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_services_catalog.payments.machine import NotRefundable, end, receive, refund

HAPPENINGS = st.lists(
    st.one_of(
        st.just(("pay",)),
        st.sampled_from([("end", "expire"), ("end", "cancel")]),
        st.tuples(st.just("refund"), st.integers(0, 5), st.booleans()),
    ),
    max_size=30,
)


def walk(happenings):
    """Bill and payments after each happening; a refusal changes nothing."""
    bill, payments = "open", []
    for what, *more in happenings:
        if what == "pay":
            bill, money = receive(bill)
            payments = [*payments, money]
        elif what == "end":
            bill = end(bill, more[0])
        elif more[0] < len(payments):
            place, earned = more
            try:
                given_back = refund(payments[place], earned=earned)
            except NotRefundable:
                assert payments[place] != "owed"
            else:
                assert payments[place] == "owed" or not earned
                payments = [*payments[:place], given_back, *payments[place + 1 :]]
        yield what, bill, payments


@given(HAPPENINGS)
def test_a_bill_leaves_open_once_and_then_stays(happenings):
    before = "open"
    for _, bill, _ in walk(happenings):
        assert before in ("open", bill)
        before = bill


@given(HAPPENINGS)
def test_at_most_one_payment_is_kept_and_only_by_a_paid_bill(happenings):
    for _, bill, payments in walk(happenings):
        assert payments.count("kept") <= (bill == "paid")


@given(HAPPENINGS)
def test_money_is_never_lost_and_comes_back_at_most_once(happenings):
    count = 0
    for what, _, payments in walk(happenings):
        count += what == "pay"
        assert len(payments) == count


@given(HAPPENINGS)
def test_a_bill_is_paid_exactly_when_money_came_before_its_end(happenings):
    first = next((what for what, *_ in happenings if what != "refund"), None)
    last = list(walk(happenings))
    if last:
        assert (last[-1][1] == "paid") == (first == "pay")


def test_a_kept_fee_comes_back_only_when_the_request_ended_without_its_product():
    assert refund("kept", earned=False) == "refunded"
    assert refund("owed", earned=True) == "refunded"
    for payment, earned in (("kept", True), ("refunded", True), ("refunded", False)):
        with pytest.raises(NotRefundable):
            refund(payment, earned=earned)
