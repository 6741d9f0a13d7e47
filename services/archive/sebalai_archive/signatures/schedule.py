"""When a signed file is looked at next, as pure functions."""

from datetime import datetime, timedelta

RENEW_BEFORE = timedelta(days=90)
RENEW_SOONEST = timedelta(days=1)  # timestamps are paid for: never one after another
RETRY_FIRST = timedelta(minutes=1)
RETRY_LONGEST = timedelta(hours=6)


def renewal_at(now: datetime, good_until: datetime) -> datetime:
    """In good time before the last timestamp's certificate ends: RENEW_BEFORE, or half of what is
    left where that is less; never before RENEW_SOONEST, also when it has ended.
    """
    left = good_until - now
    return now + max(left - RENEW_BEFORE, left / 2, RENEW_SOONEST)


def retry_at(now: datetime, tries: int) -> datetime:
    """After so many tries: twice the wait each time, up to RETRY_LONGEST."""
    doublings = min(max(tries - 1, 0), 16)
    return now + min(RETRY_FIRST * 2**doublings, RETRY_LONGEST)
