"""The agreement's limits as answer headers (draft-ietf-httpapi-ratelimit-headers)."""

from __future__ import annotations

from functools import lru_cache

from sebalai_gateway.routing.snapshot import Agreement

DAY_SECONDS = 86_400
POLICIES_KNOWN = 1_024


def rate_limits(agreement: Agreement, left: int, now: float) -> list[tuple[bytes, bytes]]:
    """`now` in seconds since 1970, `left` calls of the day, which ends at midnight UTC; the rate is
    told as burst a window.
    """
    policy = _policy(agreement.rate_per_second, agreement.burst, agreement.quota_per_day)
    ends = DAY_SECONDS - int(now) % DAY_SECONDS
    return [
        (b"ratelimit-policy", policy),
        (b"ratelimit", f'"day";r={left};t={ends}'.encode()),
    ]


@lru_cache(POLICIES_KNOWN)
def _policy(rate: float, burst: int, quota_per_day: int) -> bytes:
    window = max(1, round(burst / rate)) if rate > 0 else DAY_SECONDS
    return f'"rate";q={burst};w={window}, "day";q={quota_per_day};w=86400'.encode()
