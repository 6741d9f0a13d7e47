import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_services_catalog.datasets.access import may_publish, may_withdraw, may_write
from sebalai_services_catalog.datasets.machine import (
    MOVES,
    NoSuchMove,
    Standing,
    after,
    possible,
)
from sebalai_shared.caller import ANONYMOUS
from sebalai_shared.testing.http import system

ACTS = sorted({act for _, act in MOVES})


@given(st.lists(st.sampled_from(ACTS), max_size=30))
def test_nothing_is_public_without_review_and_nothing_returns_from_withdrawal(acts):
    standing, done = Standing(), []
    for act in acts:
        allowed = act in possible(standing)
        try:
            standing = after(standing, act)
        except NoSuchMove:
            assert not allowed
            continue
        assert allowed
        done.append(act)
    for place, act in enumerate(done):
        if act == "publish":
            assert done[place - 1] == "submit"
        if act == "withdraw":
            assert place == len(done) - 1
    assert standing.is_public == ("publish" in done and "withdraw" not in done)
    assert (standing.state == "withdrawn") == ("withdraw" in done)


@pytest.mark.parametrize("state", ["draft", "review"])
def test_what_nobody_could_read_is_not_withdrawn(state):
    with pytest.raises(NoSuchMove):
        after(Standing(state), "withdraw")


def test_who_wrote_or_sent_it_does_not_publish_it_operator_or_not():
    decides = system("ID-BB/GOV/diskominfo/walidata", "catalog.decide")
    operator = system("ID-BB/GOV/diskominfo/operator", "platform.operate")
    assert may_publish(decides, ("a", "b"))
    for caller in (decides, operator):
        assert not may_publish(caller, (caller.subject, "b"))
        assert not may_publish(caller, ("a", caller.subject))
    assert not may_publish(system("ID-BB/GOV/dpkp/x", "catalog.decide"), ("a", "b"))
    assert not may_publish(system("ID-BB/GOV/diskominfo/x", "catalog.write"), ("a", "b"))


def test_an_agency_writes_and_withdraws_its_own_alone():
    head = system("ID-BB/GOV/dpkp/kepala", "catalog.decide")
    assert may_write(head, "dpkp")
    assert may_withdraw(head, "dpkp")
    assert not may_write(head, "bakuda")
    assert not may_withdraw(head, "bakuda")
    assert not may_withdraw(system("ID-BB/GOV/dpkp/data", "catalog.write"), "dpkp")
    assert not may_write(ANONYMOUS, "dpkp")
