"""Addresses take turns, sick ones are left out, and retries cannot become a storm."""

import pytest
from sebalai_gateway.forwarding.destinations import (
    EJECT_SECONDS,
    EJECT_SECONDS_LIMIT,
    FAILURES_TO_EJECT,
    RETRIES_SAVED,
    Destinations,
    Ejected,
)


class Hands:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Hands()


@pytest.fixture
def known(clock):
    return Destinations(clock)


def eject(destination, clock):
    for address in destination.addresses:
        for _ in range(FAILURES_TO_EJECT):
            address.failed(clock.now)


def test_addresses_take_turns(known):
    destination = known.of("i", ["a", "b", "c"], 8)
    assert [destination.pick().url for _ in range(6)] == ["a", "b", "c", "a", "b", "c"]


def test_address_tried_already_is_not_picked_again(known):
    destination = known.of("i", ["a", "b"], 8)
    first = destination.pick()
    assert destination.pick([first]).url != first.url
    with pytest.raises(Ejected):
        destination.pick(destination.addresses)


def test_sick_address_is_left_out_and_comes_back_after_one_good_try(known, clock):
    destination = known.of("i", ["a", "b"], 8)
    sick = destination.addresses[0]
    for _ in range(FAILURES_TO_EJECT):
        sick.failed(clock.now)
    assert {destination.pick().url for _ in range(6)} == {"b"}
    clock.now += EJECT_SECONDS
    # Exactly one call tries it; the others go where it is well.
    assert [destination.pick().url for _ in range(6)].count("a") == 1
    sick.worked()
    assert {destination.pick().url for _ in range(2)} == {"a", "b"}


def test_all_addresses_sick_refuse_at_once_and_say_for_how_long(known, clock):
    destination = known.of("i", ["a"], 8)
    destination.check()
    eject(destination, clock)
    with pytest.raises(Ejected) as refused:
        destination.check()
    assert refused.value.seconds == EJECT_SECONDS
    clock.now += EJECT_SECONDS
    destination.check()
    destination.pick()
    with pytest.raises(Ejected):
        destination.pick()


def test_each_failed_try_doubles_the_pause_up_to_a_limit(known, clock):
    destination = known.of("i", ["a"], 8)
    eject(destination, clock)
    address, pauses = destination.addresses[0], []
    for _ in range(8):
        pauses.append(address.until - clock.now)
        clock.now = address.until
        destination.pick().failed(clock.now)
    assert pauses[:3] == [2 * EJECT_SECONDS * n / 2 for n in (1, 2, 4)]
    assert pauses[-1] == EJECT_SECONDS_LIMIT


def test_single_failures_between_good_answers_eject_nobody(known, clock):
    address = known.of("i", ["a"], 8).addresses[0]
    for _ in range(50):
        address.failed(clock.now)
        address.worked()
    assert address.is_open(clock.now)


def test_new_table_keeps_the_health_of_addresses_that_stay(known, clock):
    destination = known.of("i", ["a"], 8)
    eject(destination, clock)
    assert known.of("i", ["a", "b"], 8) is destination
    assert destination.pick().url == "b"
    assert known.of("i", ["b"], 4).gate.limit == 4


def test_retries_are_a_share_of_calls(known):
    destination = known.of("i", ["a"], 8)
    assert sum(destination.spend_retry() for _ in range(100)) == RETRIES_SAVED
    for _ in range(50):
        destination.earn_retry()
    assert 9 <= sum(destination.spend_retry() for _ in range(100)) <= 10
