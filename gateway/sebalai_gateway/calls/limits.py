"""The agreement's limits as answer headers (draft-ietf-httpapi-ratelimit-headers)."""

from __future__ import annotations

from functools import lru_cache

from sebalai_gateway.quotas.leases import Left
from sebalai_gateway.routing.snapshot import Agreement

DAY_SECONDS = 86_400
# Of the longest; `t` tells when the present one ends.
MONTH_SECONDS = 31 * DAY_SECONDS
POLICIES_KNOWN = 1_024


def rate_limits(agreement: Agreement, left: Left, now: float) -> list[tuple[bytes, bytes]]:
    """`now` in seconds since 1970; the day ends at midnight UTC; the rate is told as burst a
    window.
    """
    per_month = agreement.quota_per_month
    policy = _policy(agreement.rate_per_second, agreement.burst, agreement.quota_per_day, per_month)
    limits = f'"day";r={left.day};t={DAY_SECONDS - int(now) % DAY_SECONDS}'
    if left.month_ends:
        limits += f', "month";r={left.month};t={int(left.month_ends - now)}'
    return [(b"ratelimit-policy", policy), (b"ratelimit", limits.encode())]


@lru_cache(POLICIES_KNOWN)
def _policy(rate: float, burst: int, per_day: int, per_month: int | None) -> bytes:
    window = max(1, round(burst / rate)) if rate > 0 else DAY_SECONDS
    told = f'"rate";q={burst};w={window}, "day";q={per_day};w={DAY_SECONDS}'
    if per_month is not None:
        told += f', "month";q={per_month};w={MONTH_SECONDS}'
    return told.encode()
