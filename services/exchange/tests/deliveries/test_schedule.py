"""When a delivery is tried again, and when an address is left in peace; on a virtual clock."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sebalai_exchange.deliveries.schedule import (
    OPEN_AT_FAILURES,
    PROBE_MAX_SECONDS,
    RETRY_AFTER_MAX_SECONDS,
    Breaker,
    retry_seconds,
)
from sebalai_exchange.subscriptions.retries import OWN, Retries

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def test_the_schedule_covers_three_days():
    assert sum(OWN.pauses) >= OWN.life.total_seconds() == 3 * 24 * 3_600
    assert list(OWN.pauses) == sorted(OWN.pauses)


@given(
    st.lists(st.integers(5, 86_400), min_size=1, max_size=20),
    st.integers(1, 100),
    st.floats(0, 1, exclude_max=True),
)
def test_jitter_stays_within_a_fifth_of_the_subscribers_pause(pauses, attempts, random):
    base = pauses[min(attempts, len(pauses)) - 1]
    retries = Retries(tuple(pauses), 1)
    assert 0.8 * base <= retry_seconds(retries, attempts, random) <= 1.2 * base


@given(st.floats(0, 1e9))
def test_retry_after_is_honoured_up_to_an_hour(wanted):
    waited = retry_seconds(OWN, 1, 0.5, wanted)
    assert waited >= min(wanted, RETRY_AFTER_MAX_SECONDS)
    assert waited <= max(RETRY_AFTER_MAX_SECONDS, OWN.pauses[0] * 1.2)


@given(st.lists(st.booleans(), max_size=60))
def test_the_breaker_is_open_exactly_after_enough_failures_in_a_row(results):
    breaker, row, now = Breaker(), 0, NOW
    for is_good in results:
        now += timedelta(minutes=1)
        breaker = breaker.succeeded() if is_good else breaker.failed(now)
        row = 0 if is_good else row + 1
        assert breaker.is_open == (row >= OPEN_AT_FAILURES)
        if breaker.is_open:
            pause = (breaker.open_until - now).total_seconds()
            assert 0 < pause <= PROBE_MAX_SECONDS
            assert not breaker.allows_probe(now)
            assert breaker.allows_probe(breaker.open_until)


def test_an_address_is_hopeless_after_three_days_and_not_before():
    breaker = Breaker()
    for _ in range(OPEN_AT_FAILURES):
        breaker = breaker.failed(NOW)
    later = breaker.failed(NOW + timedelta(hours=71))
    assert later.open_since == NOW
    assert not later.is_hopeless(NOW + timedelta(hours=71), OWN.life)
    assert later.is_hopeless(NOW + OWN.life, OWN.life)
